"""The prompt as its tokens are counted, and a prompt cache that bills as the real one does.

The order of a prompt is tools, output format, system text, messages. Equal bytes up to a breakpoint are read
from the cache for five minutes or an hour after their last use.
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
IMAGE_TOKENS = 1600  # what the real API counts at most for an image it does not shrink


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
            "cache_creation": {f"ephemeral_{ttl}_input_tokens": self.written.get(ttl, 0) for ttl in SECONDS},
        }


class PromptCache:
    """The live prefixes of every caller; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[float, float]] = {}  # when it expires, and its time to live

    def apply_prompt(self, owner: str, segments: Sequence[PromptSegment]) -> PromptCacheUse:
        """Return how the prompt is billed, and keep its prefixes for later prompts of the same owner."""
        breakpoints = [(index, segment.ttl) for index, segment in enumerate(segments) if segment.ttl]
        if len(breakpoints) > MAX_BREAKPOINTS:
            raise ModelServerError.invalid_request(
                f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided. "
                f"Found {len(breakpoints)}."
            )
        keys = list(accumulate((segment.text for segment in segments), _chain, initial=owner))[1:]
        totals = list(accumulate((segment.tokens for segment in segments), initial=0))[1:]
        read = end = self._read_longest(keys, totals, [index for index, _ in breakpoints])
        written: dict[str, int] = {}
        for index, ttl in breakpoints:
            if totals[index] >= max(MIN_TOKENS, end + 1):
                written[ttl] = written.get(ttl, 0) + totals[index] - end
                end = totals[index]
                self._entries[keys[index]] = (self._clock() + SECONDS[ttl], SECONDS[ttl])
        return PromptCacheUse(fresh=(totals[-1] if totals else 0) - end, read=read, written=written)

    def _read_longest(self, keys: Sequence[str], totals: Sequence[int], breakpoints: Sequence[int]) -> int:
        """Return the tokens of the longest live prefix, whose life the hit renews."""
        now = self._clock()
        reach = {index for last in breakpoints for index in range(max(0, last - LOOKBACK), last + 1)}
        for index in sorted(reach, reverse=True):
            expires, seconds = self._entries.get(keys[index], (0.0, 0.0))
            if expires > now:
                self._entries[keys[index]] = (now + seconds, seconds)
                return totals[index]
        return 0


def _chain(key: str, text: str) -> str:
    return sha256(f"{key}\0{text}".encode()).hexdigest()


def split_prompt(prompt: PromptRequest) -> list[PromptSegment]:
    segments = [_make_segment(place, block) for place, block in _list_blocks(prompt)]
    if prompt.cache_control and segments:
        last = segments[-1]
        segments[-1] = PromptSegment(last.text, last.tokens, last.ttl or prompt.cache_control.ttl)
    return segments


def count_input_tokens(prompt: PromptRequest) -> int:
    return sum(segment.tokens for segment in split_prompt(prompt))


def _list_blocks(prompt: PromptRequest) -> Iterator[tuple[str, Block]]:
    yield from (("tool", tool) for tool in prompt.tools)
    if prompt.output_config.format:
        yield "format", prompt.output_config.format.json_schema
    yield from (("system", block) for block in blocks(prompt.system or []))
    for number, message in enumerate(prompt.messages):
        yield from ((f"{number}.{message.role}", block) for block in blocks(message.content))


def _make_segment(place: str, block: Block) -> PromptSegment:
    # The breakpoint itself is no part of the prefix: it may move without a miss.
    bare = {key: value for key, value in block.items() if key != "cache_control"}
    tokens = IMAGE_TOKENS if block.get("type") == "image" else count(_read_text(bare))
    return PromptSegment(f"{place}:{json.dumps(bare, ensure_ascii=False)}", tokens, _read_ttl(block))


def _read_ttl(block: Block) -> str | None:
    control = block.get("cache_control")
    try:
        return CacheControl.model_validate(control).ttl if control else None
    except ValidationError as invalid:
        raise ModelServerError.invalid_request(
            "cache_control: type is 'ephemeral' and ttl '5m' or '1h'"
        ) from invalid


def _read_text(block: Any) -> str:
    """Return the words of a block, else the whole block as JSON."""
    if isinstance(block, str):
        return block
    if isinstance(block, list):
        return "\n".join(_read_text(part) for part in block)
    if block.get("type") == "text":
        return str(block.get("text", ""))
    if block.get("type") == "tool_result":
        return _read_text(block.get("content") or "")
    return json.dumps(block, ensure_ascii=False)
