"""The gate between what a model proposes and what memory believes: the model proposes, this code disposes."""

import re
from typing import Literal

from pydantic import Field

from membus.domain.attributes import fact_key
from membus.domain.event import Recorded
from membus.domain.facts import Kind, Observation, Provenance, Trust
from membus.domain.identity import Record

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

    A candidate is refused unless its quote stands in the words of the event it names, word for word but for
    case and white space, and it states something about the user that is neither supposed nor an instruction.
    """
    recorded = events.get(candidate.event_id)
    if recorded is None:
        return "unknown_event"
    refused = _refusal(candidate, recorded.event.speech or "")
    if refused:
        return refused
    key = fact_key(candidate.attribute, candidate.value)
    value = " ".join(candidate.value.split())
    if key is None or not value or len(value) > 200:  # noqa: PLR2004 (a longer value is a passage, not a fact)
        return "malformed"
    event = recorded.event
    return Observation(
        key=key, value=value, kind=candidate.kind, trust=Trust.USER_STATED, confidence=0.9,
        valid_from=event.occurred_at, learned_at=recorded.learned_at,
        provenance=Provenance(
            event_id=event.event_id, event_type=event.type, origin=event.origin, quote=candidate.quote,
            model=extractor.model, prompt_version=extractor.prompt_version,
        ),
    )  # fmt: skip


def _refusal(candidate: Candidate, speech: str) -> Reason | None:
    if candidate.stance != "stated":
        return candidate.stance
    if candidate.subject.strip().casefold() != "user":
        return "third_party"
    if not candidate.quote.strip() or _plain(candidate.quote) not in _plain(speech):
        return "ungrounded"
    if _INSTRUCTION.search(candidate.value) or _INSTRUCTION.search(candidate.quote):
        return "instruction"
    return None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
