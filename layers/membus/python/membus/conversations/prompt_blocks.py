"""The fenced blocks of a prompt: each is data, labelled as such, and no text in it ends its fence."""

import json
from collections.abc import Iterable, Sequence

from membus.conversations.slots import LEDGER_TOKENS
from membus.conversations.summary import Slot, SummaryIndex
from membus.core.event import Event
from membus.core.tokens import estimate_tokens

SUMMARY_TOKENS = 1_500
PAYLOAD_CHARACTERS = 400
"""Of one event: enough to know it by; whoever needs all of it reads the event."""


def escape_tags(text: str) -> str:
    """Return the text without anything that looks like a tag."""
    return text.replace("<", "‹").replace(">", "›")


def fence_block(name: str, lines: Iterable[str]) -> str:
    return "\n".join((f"<{name}>", *lines, f"</{name}>"))


def render_event(event: Event) -> str:
    """Return an event with its time and type as one line of data: the user's words, else its payload."""
    said = event.user_text or json.dumps(event.payload, ensure_ascii=False)
    words = escape_tags(" ".join(said.split()))
    shown = words if len(words) <= PAYLOAD_CHARACTERS else f"{words[:PAYLOAD_CHARACTERS]}…"
    return f"- [{event.occurred_at:%Y-%m-%d %H:%M}, {event.type}] {shown}"


def render_summary_block(index: SummaryIndex, *, budget: int = SUMMARY_TOKENS) -> str:
    """Return chapters and slots within the budget, or nothing where there is no summary yet.

    Slots are never left out: each stands in a chapter that is shown, or below them. Older chapters give way
    to newer ones, and each loses its last sentences first.
    """
    if not index.chapters:
        return ""
    fences = estimate_tokens(fence_block("summary", [])) + estimate_tokens(fence_block("slots", []))
    left = budget - LEDGER_TOKENS - fences
    shown: list[str] = []
    for chapter in reversed(index.chapters):
        text = _leading_sentences(escape_tags(" ".join(chapter.text.split())), left)
        left -= estimate_tokens(text) + 1
        if left < 0 or not text:
            break
        shown.insert(0, text)
    text_shown = "\n".join(shown)
    missing = [slot for slot in index.slots if not slot.occurs_in(text_shown)]
    block = fence_block("summary", shown)
    return f"{block}\n{fence_block('slots', _slot_lines(missing))}" if missing else block


def _slot_lines(slots: Sequence[Slot]) -> list[str]:
    kinds = dict.fromkeys(slot.kind for slot in slots)
    return [
        f"{kind}: {'; '.join(escape_tags(slot.text) for slot in slots if slot.kind == kind)}"
        for kind in kinds
    ]


def _leading_sentences(text: str, budget: int) -> str:
    """Return as many sentences from the beginning as fit."""
    while estimate_tokens(text) > budget:
        shorter, _, _ = text.rpartition(". ")
        if not shorter:
            return ""
        text = f"{shorter}."
    return text
