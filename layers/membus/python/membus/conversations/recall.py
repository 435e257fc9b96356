"""Recall: whether a message needs memory beyond its conversation's window, and which passages it gets."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import AwareDatetime

from membus.conversations.conversation import Message
from membus.conversations.prompt_blocks import escape_tags, fence_block
from membus.core.identity import MemorySource, Record
from membus.core.text.terms import stem_words
from membus.core.tokens import estimate_tokens
from membus.facts.text_checks import is_small_talk

RECALL_TOKENS, RECALL_TOKENS_MAX = 1_500, 2_500
RECALL_TOKENS_LENGTHY = 600
"""For a message that brings its own matter (a text, code, a log): what it asks is about that.

A quarter of what a turn of BEAM cost was recall for such messages; no question of LoCoMo or BEAM is one.
"""
LENGTHY_TOKENS = 100
PASSAGES_WITHIN_MAX = 20
"""So many passages may take more than 1,500 tokens where they are long.

Of BEAM 100K's evidence 0.74 stands in 1,250 estimated tokens and 0.78 in 2,000; of LoCoMo's short turns 45
fit into 1,500 (`make bench-chat`).
"""
_ASKS = re.compile(
    r"[?\uff1f]|^\W*(?:who|what|when|where|which|why|how|is|are|am|was|were|do|does|did|can|could|would|will"
    r"|should|have|has|tell|show|remind|recommend|suggest|plan|find|list|give|help|summari[sz]e|compare|write"
    r"|draft|make|book|remember|explain|describe|wer|was|wann|wo|welche[rsmn]?|warum|wie|kannst|k\u00f6nntest"
    r"|zeig|erinner|empfiehl|plane|schreib"
    r"|qu\u00e9|qui\u00e9n|cu\u00e1ndo|d\u00f3nde|c\u00f3mo|quel(?:le)?s?|quand|o\u00f9|comment|pourquoi)\b"
    r"|\b(?:please|remind me|last time|you said|i (?:told|mentioned)|as (?:before|usual)"
    r"|do you (?:know|remember)|bitte)\b",
    re.IGNORECASE | re.MULTILINE,
)

_SENTENCE = re.compile(r"(?<=[.!?\u2026])\s+|\n+")
_OWN_TERMS = 3
"""A question that names fewer terms of its own is about what was just said («How are your pets?»).

On LoCoMo a third of the messages that ask are of this kind; no question of LoCoMo or BEAM is.
"""

RecallReason = Literal[
    "small_talk", "too_little_to_look_for", "statement", "follow_up", "asks", "asks_at_length"
]


class RecallDecision(Record):
    """Whether to search for a message, and why."""

    search: bool
    reason: RecallReason

    @property
    def token_budget(self) -> tuple[int, int]:
        """Return the tokens of its passages, and the most of them where few are long."""
        if self.reason == "asks_at_length":
            return RECALL_TOKENS_LENGTHY, RECALL_TOKENS_LENGTHY
        return RECALL_TOKENS, RECALL_TOKENS_MAX


class RecalledPassage(Record):
    """A passage that was found: its memory, its words, when they were said, and what they rest on."""

    memory_id: str
    kind: str
    text: str
    occurred_at: AwareDatetime
    source: MemorySource = MemorySource()
    score: float

    @property
    def prompt_line(self) -> str:
        """Return the passage with its date and source as one line of data."""
        words = escape_tags(" ".join(self.text.split()))
        return f"- [{self.occurred_at:%Y-%m-%d}, {self.kind}] {words}"


def decide_recall(message: str) -> RecallDecision:
    """Decide by the words alone; a message that only tells something needs no search."""
    reason = _recall_reason(message)
    return RecallDecision(search=reason in {"asks", "asks_at_length"}, reason=reason)


def _recall_reason(message: str) -> RecallReason:
    if is_small_talk(message):
        return "small_talk"
    if not stem_words(message):
        return "too_little_to_look_for"
    sentences = [sentence for sentence in _SENTENCE.split(message) if sentence.strip()]
    asking = [sentence for sentence in sentences if _ASKS.search(sentence)]
    if not asking:
        return "statement"
    terms = {stem for sentence in asking for stem in stem_words(sentence)}
    if len(asking) < len(sentences) and len(terms) < _OWN_TERMS:
        return "follow_up"
    return "asks_at_length" if estimate_tokens(message) > LENGTHY_TOKENS else "asks"


def select_passages(
    found: Iterable[RecalledPassage],
    *,
    conversation_id: str,
    window: Sequence[Message],
    shown: str,
    budget: float,
    most: float,
) -> list[RecalledPassage]:
    """Return the passages that add something, best first: 20 within `most` tokens, more within the budget.

    Passages are left out that the window of the same conversation holds, also where a summary tells them, that
    stand in `shown` (profile, summary) already, or that repeat another one.
    """
    seen = _comparable("\n".join((shown, *(message.content for message in window))))
    since = window[0].message_id if window else None
    kept: list[RecalledPassage] = []
    taken = estimate_tokens(fence_block("recalled", []))
    for passage in found:
        words = _comparable(passage.text)
        cost = estimate_tokens(passage.prompt_line) + 1
        limit = most if len(kept) < PASSAGES_WITHIN_MAX else budget
        if taken + cost > limit or words in seen or _in_window(passage, conversation_id, since):
            continue
        seen += f"\n{words}"
        taken += cost
        kept.append(passage)
    return kept


def render_recall_block(passages: Sequence[RecalledPassage]) -> str:
    """Return the passages in the order of time, or nothing."""
    ordered = sorted(passages, key=lambda passage: (passage.occurred_at, passage.memory_id))
    return fence_block("recalled", [passage.prompt_line for passage in ordered]) if ordered else ""


def _comparable(text: str) -> str:
    """Return the words in one case and spacing: enough to know a text again, and cheap for a whole window."""
    return " ".join(text.split()).casefold()


def _in_window(passage: RecalledPassage, conversation_id: str, since: str | None) -> bool:
    """Whether a passage is of the window: its message, or the first one that a summary tells of, is in it."""
    source = passage.source
    if since is None or source.conversation_id != conversation_id:
        return False
    first = passage.memory_id.rpartition(":")[2] if passage.kind == "summary" else source.message_id
    return first is not None and first >= since
