"""The prompt cache as the real one behaves.

Byte-identical prefixes up to a breakpoint, for five minutes or an hour.

The prompt as the cache and the token count see it.

Tools, then the output format, system text and messages.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import Any

from pydantic import ValidationError

from localstack.model.requests import Block, CacheControl, ModelServerError, PromptRequest, blocks
from localstack.model.tokens import count

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

    def to_usage(self) -> dict[str, object]:
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

    def apply_prompt(self, owner: str, segments: Sequence[PromptSegment]) -> PromptCacheUse:
        prefixes = _prefixes(owner, segments)
        breakpoints = [index for index, prefix in enumerate(prefixes) if prefix.ttl]
        if len(breakpoints) > MAX_BREAKPOINTS:
            raise ModelServerError.invalid_request(
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


IMAGE_TOKENS = 1600  # what the real API counts at most for an image it does not shrink


def segments_of(prompt: PromptRequest) -> list[PromptSegment]:
    found = [*_tools(prompt), *_format(prompt), *_system(prompt), *_messages(prompt)]
    if prompt.cache_control and found:
        last = found[-1]
        found[-1] = PromptSegment(last.text, last.tokens, last.ttl or prompt.cache_control.ttl)
    return found


def input_tokens(prompt: PromptRequest) -> int:
    return sum(segment.tokens for segment in segments_of(prompt))


def _tools(prompt: PromptRequest) -> Iterator[PromptSegment]:
    for tool in prompt.tools:
        yield _segment("tool", tool)


def _format(prompt: PromptRequest) -> Iterator[PromptSegment]:
    if prompt.output_config.format:
        yield _segment("format", prompt.output_config.format.json_schema)


def _system(prompt: PromptRequest) -> Iterator[PromptSegment]:
    for block in blocks(prompt.system) if prompt.system else []:
        yield _segment("system", block)


def _messages(prompt: PromptRequest) -> Iterator[PromptSegment]:
    for place, message in enumerate(prompt.messages):
        for block in blocks(message.content):
            yield _segment(f"{place}.{message.role}", block)


def _segment(place: str, block: Block) -> PromptSegment:
    """The breakpoint itself is no part of the prefix: it may move without a miss."""
    bare = {key: value for key, value in block.items() if key != "cache_control"}
    return PromptSegment(f"{place}:{json.dumps(bare, ensure_ascii=False)}", _tokens(bare), _ttl(block))


def _ttl(block: Block) -> str | None:
    control = block.get("cache_control")
    try:
        return CacheControl.model_validate(control).ttl if control else None
    except ValidationError as invalid:
        raise ModelServerError.invalid_request(
            "cache_control: type is 'ephemeral' and ttl '5m' or '1h'"
        ) from invalid


def _tokens(block: Block) -> int:
    if block.get("type") == "image":
        return IMAGE_TOKENS
    return count(_read_image(block))


def _read_image(block: Any) -> str:
    """Return the text the model reads of a block: its words, else the whole block as JSON."""
    if isinstance(block, str):
        return block
    if isinstance(block, list):
        return "\n".join(_read_image(part) for part in block)
    kind = block.get("type")
    if kind == "text":
        return str(block.get("text", ""))
    if kind == "tool_result":
        return _read_image(block.get("content") or "")
    return json.dumps(block, ensure_ascii=False)
