"""The prompt cache of the local model: the usage that the real client reads, and expiry."""

from typing import Any

import pytest
from anthropic import Anthropic, BadRequestError

from localstack.model.prompt_cache import PromptCache, PromptCacheUse, PromptSegment

LONG = "word " * 1100
EPHEMERAL = {"type": "ephemeral"}


def usage_of(
    client: Anthropic, *system: str, said: str = "Hi", cached: int = 0
) -> tuple[int | None, int | None, int]:
    """Return the tokens written, read and fresh of a call whose system block `cached` is a breakpoint."""
    blocks: Any = [{"type": "text", "text": text} for text in system]
    blocks[cached]["cache_control"] = EPHEMERAL
    used = client.messages.create(
        model="m", max_tokens=20, system=blocks, messages=[{"role": "user", "content": said}]
    ).usage
    return used.cache_creation_input_tokens, used.cache_read_input_tokens, used.input_tokens


def test_a_prefix_is_written_once_and_then_read(anthropic: Anthropic) -> None:
    assert usage_of(anthropic, LONG, said="Hi") == (1100, 0, 1)
    assert usage_of(anthropic, LONG, said="Hello again") == (0, 1100, 2)


def test_a_longer_prefix_reads_the_shorter_one_and_writes_the_rest(anthropic: Anthropic) -> None:
    usage_of(anthropic, LONG)

    assert usage_of(anthropic, LONG, "two more", cached=1) == (2, 1100, 1)


def test_one_changed_byte_before_the_breakpoint_misses(anthropic: Anthropic) -> None:
    usage_of(anthropic, LONG)

    assert usage_of(anthropic, f"{LONG} ") == (1100, 0, 1)


def test_a_short_prefix_is_silently_not_cached(anthropic: Anthropic) -> None:
    assert usage_of(anthropic, "short") == usage_of(anthropic, "short") == (0, 0, 2)


def test_a_fifth_breakpoint_is_refused(anthropic: Anthropic) -> None:
    blocks: Any = [{"type": "text", "text": "a", "cache_control": EPHEMERAL}] * 5

    with pytest.raises(BadRequestError, match="A maximum of 4 blocks"):
        anthropic.messages.create(
            model="m", max_tokens=20, system=blocks, messages=[{"role": "user", "content": "Hi"}]
        )


def test_an_entry_lives_five_minutes_from_its_last_use() -> None:
    now = [0.0]
    cache = PromptCache(lambda: now[0])
    prompt = [PromptSegment("long", 2000, "5m"), PromptSegment("said", 10)]
    written = PromptCacheUse(fresh=10, read=0, written={"5m": 2000})
    read = PromptCacheUse(fresh=10, read=2000, written={})

    uses = []
    for moment in (0, 299, 598, 899):
        now[0] = moment
        uses.append(cache.apply_prompt("caller", prompt))

    assert uses == [written, read, read, written]


def test_callers_have_separate_prompt_caches() -> None:
    cache = PromptCache(lambda: 0.0)
    cache.apply_prompt("one", [PromptSegment("long", 2000, "1h")])

    assert cache.apply_prompt("two", [PromptSegment("long", 2000, "1h")]) == PromptCacheUse(
        fresh=0, read=0, written={"1h": 2000}
    )
