"""The prompt cache as the real one behaves.

Byte-identical prefixes up to a breakpoint, for five minutes or an hour.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate

from localstack.model.errors import ModelServerError

MIN_TOKENS = 1024  # shorter prefixes are not cached, silently
MAX_BREAKPOINTS = 4
LOOKBACK = 20  # blocks before a breakpoint in which an earlier entry is found
SECONDS = {"5m": 300.0, "1h": 3600.0}


@dataclass(frozen=True)
class PromptSegment:
    """A block of the prompt in cache order; `ttl` is set where the block carries a breakpoint."""

    text: str
    tokens: int
    ttl: str | None = None


@dataclass(frozen=True)
class PromptCacheUse:
    """Input tokens by how they are billed; `written` by time to live."""

    fresh: int
    read: int
    written: dict[str, int]

    def usage(self) -> dict[str, object]:
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": sum(self.written.values()),
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                f"ephemeral_{ttl}_input_tokens": self.written.get(ttl, 0) for ttl in ("5m", "1h")
            },
        }


@dataclass(frozen=True)
class _Prefix:
    key: str
    tokens: int
    ttl: str | None


class PromptCache:
    """`clock` returns seconds; `owner` in every call keeps one caller's prefixes from another's."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._expiries: dict[str, tuple[float, float]] = {}

    def use(self, owner: str, segments: Sequence[PromptSegment]) -> PromptCacheUse:
        prefixes = _prefixes(owner, segments)
        breakpoints = [index for index, prefix in enumerate(prefixes) if prefix.ttl]
        if len(breakpoints) > MAX_BREAKPOINTS:
            raise ModelServerError.invalid(
                f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {len(breakpoints)}."
            )
        total = prefixes[-1].tokens if prefixes else 0
        read = self._longest_hit(prefixes, breakpoints)
        written, end = self._write(prefixes, breakpoints, read)
        return PromptCacheUse(fresh=total - max(read, end), read=read, written=written)

    def _longest_hit(self, prefixes: Sequence[_Prefix], breakpoints: Sequence[int]) -> int:
        """Return the tokens of the longest live prefix and renew its life, as every hit does."""
        now = self._clock()
        for index in _candidates(breakpoints):
            prefix = prefixes[index]
            expires, seconds = self._expiries.get(prefix.key, (0.0, 0.0))
            if expires > now:
                self._expiries[prefix.key] = (now + seconds, seconds)
                return prefix.tokens
        return 0

    def _write(
        self, prefixes: Sequence[_Prefix], breakpoints: Sequence[int], read: int
    ) -> tuple[dict[str, int], int]:
        """Store the prefix of every breakpoint behind what was read.

        Return tokens by ttl, and where they end.
        """
        written: dict[str, int] = {}
        end = read
        for index in breakpoints:
            prefix = prefixes[index]
            if prefix.ttl and prefix.tokens >= max(MIN_TOKENS, end + 1):
                written[prefix.ttl] = written.get(prefix.ttl, 0) + prefix.tokens - end
                end = prefix.tokens
                self._expiries[prefix.key] = (self._clock() + SECONDS[prefix.ttl], SECONDS[prefix.ttl])
        return written, end


def _prefixes(owner: str, segments: Sequence[PromptSegment]) -> list[_Prefix]:
    keys = list(accumulate((segment.text for segment in segments), _chained, initial=owner))[1:]
    totals = accumulate(segment.tokens for segment in segments)
    return [
        _Prefix(key, total, segment.ttl) for key, total, segment in zip(keys, totals, segments, strict=True)
    ]


def _chained(key: str, text: str) -> str:
    return sha256(f"{key}\0{text}".encode()).hexdigest()


def _candidates(breakpoints: Sequence[int]) -> Iterator[int]:
    """Yield the places where an entry may be found, the longest prefix first."""
    reach = {index for last in breakpoints for index in range(max(0, last - LOOKBACK), last + 1)}
    yield from sorted(reach, reverse=True)
