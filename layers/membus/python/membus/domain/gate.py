"""The gate between what a model proposes and what memory believes: the model proposes, this code disposes."""

import re
import unicodedata
from typing import Literal

from pydantic import Field

from membus.domain.attributes import fact_key
from membus.domain.event import Recorded
from membus.domain.facts import Kind, Observation, Provenance, Trust
from membus.domain.identity import Record
from membus.domain.visible import is_blank

Stance = Literal["stated", "hypothetical", "negated", "question"]
Reason = Literal[
    "unknown_event",
    "ungrounded",
    "third_party",
    "hypothetical",
    "negated",
    "question",
    "instruction",
    "malformed",
]
_INSTRUCTION = re.compile(
    r"https?://|www\.|<[^>]{1,80}>|\bsystem prompt\b|\bfrom now on\b|\byou (must|should|are to|will now)\b"
    r"|\b(ignore|disregard|forget|override)\b.{0,40}\b(instruction|prompt|rule|memory|above|previous)"
    r"|\b(always|never) (answer|reply|respond|say|tell|recommend)\b",
    re.IGNORECASE,
)
VALUE_MAX = 200
"""A longer value is a passage, not a fact."""
QUOTE_MAX = 300
"""Evidence is kept with every fact and in the profile; a model may quote a whole letter."""


class Candidate(Record):
    """A fact as the model proposes it, before anybody believes it."""

    event_id: str
    subject: str = Field(description="`user`, or the name of whoever else the fact is about")
    attribute: str = Field(description="dotted lower-case path, e.g. home.city, likes, family.sister")
    value: str
    quote: str = Field(description="the exact words of that event that say so")
    kind: Kind
    stance: Stance


class Extractor(Record):
    """Which reader proposed: kept with every fact it led to."""

    model: str
    prompt_version: str


def admit(candidate: Candidate, events: dict[str, Recorded], extractor: Extractor) -> Observation | Reason:
    """Return the observation that a candidate becomes, or the reason it is refused.

    A candidate is refused unless its quote stands in the words of the event it names, word for word but for case,
    white space and invisible characters, and it states something about the user, neither supposed nor an instruction.
    """
    recorded = events.get(candidate.event_id)
    if recorded is None:
        return "unknown_event"
    refused = _refusal(candidate, recorded.event.speech or "")
    if refused:
        return refused
    key = fact_key(candidate.attribute, candidate.value)
    value = " ".join(candidate.value.split())
    if key is None or is_blank(value) or len(value) > VALUE_MAX:
        return "malformed"
    event = recorded.event
    return Observation(
        key=key, value=value, kind=candidate.kind, trust=Trust.USER_STATED, confidence=0.9,
        valid_from=event.occurred_at, learned_at=recorded.learned_at,
        provenance=Provenance(
            event_id=event.event_id, event_type=event.type, origin=event.origin,
            quote=candidate.quote.strip()[:QUOTE_MAX],
            model=extractor.model, prompt_version=extractor.prompt_version,
        ),
    )  # fmt: skip


def _refusal(candidate: Candidate, speech: str) -> Reason | None:
    if candidate.stance != "stated":
        return candidate.stance
    if candidate.subject.strip().casefold() != "user":
        return "third_party"
    quote = _plain(candidate.quote)
    if not quote or not _stands_in(quote, _plain(speech)):
        return "ungrounded"
    if _INSTRUCTION.search(_plain(candidate.value)) or _INSTRUCTION.search(quote):
        return "instruction"
    return None


def _stands_in(quote: str, speech: str) -> bool:
    """Whether the quote stands in the speech and cuts no word; only scripts with spaces have words to cut."""
    begins, ends = r"(?:(?<![a-z0-9])|(?![a-z0-9]))", r"(?:(?![a-z0-9])|(?<![a-z0-9]))"
    return re.search(begins + re.escape(quote) + ends, speech) is not None


def _plain(text: str) -> str:
    """Return the text as it reads: no invisible characters, no look-alike forms, one space, one case."""
    read = (character for character in unicodedata.normalize("NFKC", text) if unicodedata.category(character) != "Cf")
    return " ".join("".join(read).split()).casefold()
