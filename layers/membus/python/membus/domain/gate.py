"""The gate between what a model proposes and what memory believes: the model proposes, this code disposes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from membus.domain.attributes import fact_key
from membus.domain.behaviour import ACTIVITY
from membus.domain.event import Recorded
from membus.domain.facts import Kind, Observation, Provenance, Trust
from membus.domain.identity import Record
from membus.domain.instructions import plain, reads_as_instruction
from membus.domain.search.terms import stems
from membus.domain.verdict import HELD, Held, Reason, Refused, Verdict
from membus.domain.visible import is_blank

Stance = Literal["stated", "hypothetical", "negated", "question"]
RESERVED = frozenset({"setting", "frustrated_by", ACTIVITY})
"""Attributes that only the rules write: what a user does is not for a model to claim."""
_RECALLED = re.compile(r"\(since \d{4}-\d\d-\d\d\)|</?profile>")
"""The form in which a prompt shows what is known: a text that holds it repeats memory, it does not add to it."""
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


@dataclass(frozen=True)
class Speaker:
    """What is known of who speaks: the names they go by, and the zone (IANA) in which their days begin."""

    names: tuple[str, ...] = ()
    timezone: str | None = None


NOBODY = Speaker()


def judge(
    candidates: Sequence[Candidate], events: Mapping[str, Recorded], extractor: Extractor, speaker: Speaker = NOBODY
) -> list[Verdict]:
    """Return the verdict on each candidate of one answer, in their order."""
    return [admit(candidate, events, extractor, speaker) for candidate in candidates]


def admit(
    candidate: Candidate, events: Mapping[str, Recorded], extractor: Extractor, speaker: Speaker = NOBODY
) -> Verdict:
    """Return the observation that a candidate becomes, or why it does not.

    A candidate is refused unless its quote stands in the words of the event it names, word for word but for case,
    white space and invisible characters, its value was said there, and it states something about the user that is
    neither supposed, nor an instruction, nor recalled from memory.
    """
    recorded = events.get(candidate.event_id)
    if recorded is None:
        return Refused(reason="unknown_event")
    event, speech = recorded.event, plain(recorded.event.speech or "")
    key = fact_key(candidate.attribute, candidate.value)
    value = " ".join(candidate.value.split())
    refused = _refusal(candidate, speech, speaker)
    if refused and refused not in HELD:
        return Refused(reason=refused)
    if key is None or is_blank(value) or len(value) > VALUE_MAX:
        return Refused(reason="malformed")
    if not _says(plain(candidate.quote), speech, plain(value)):
        return Refused(reason="unsaid")
    observation = Observation(
        key=key, value=value, kind=candidate.kind, trust=Trust.USER_STATED, confidence=0.9,
        valid_from=recorded.true_from, learned_at=recorded.learned_at,
        provenance=Provenance(
            event_id=event.event_id, event_type=event.type, origin=event.origin,
            quote=candidate.quote.strip()[:QUOTE_MAX],
            model=extractor.model, prompt_version=extractor.prompt_version,
        ),
    )  # fmt: skip
    return Held(reason=refused, observation=observation) if refused else observation


def _refusal(candidate: Candidate, speech: str, speaker: Speaker) -> Reason | None:
    if candidate.stance != "stated":
        return candidate.stance
    if candidate.subject.strip().casefold() not in {"user", *(name.casefold() for name in speaker.names)}:
        return "third_party"
    quote = plain(candidate.quote)
    if not quote or not _stands_in(quote, speech):
        return "ungrounded"
    return _content_refusal(candidate)


def _content_refusal(candidate: Candidate) -> Reason | None:
    if reads_as_instruction(candidate.value) or reads_as_instruction(candidate.quote):
        return "instruction"
    if _RECALLED.search(candidate.quote):
        return "recalled"
    if candidate.attribute.strip().lower().split(".")[0] in RESERVED:
        return "reserved"
    return None


def _says(quote: str, speech: str, value: str) -> bool:
    """Whether the value's words were said: one of them in the quote, two thirds of them in the whole event.

    Words are compared by their stems, so that `plays guitar` may rest on "I started playing guitar". Scripts
    without spaces have no words to compare; there the value stands in the event as it is, or not at all.
    """
    if value in quote:
        return True
    meant, quoted, heard = set(stems(value)), set(stems(quote)), set(stems(speech))
    return bool(meant & quoted) and len(meant & heard) * 3 >= len(meant) * 2


def _stands_in(quote: str, speech: str) -> bool:
    """Whether the quote stands in the speech and cuts no word; only scripts with spaces have words to cut."""
    begins, ends = r"(?:(?<![a-z0-9])|(?![a-z0-9]))", r"(?:(?![a-z0-9])|(?<![a-z0-9]))"
    return re.search(begins + re.escape(quote) + ends, speech) is not None
