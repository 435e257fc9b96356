"""Candidates: facts as a model proposes them, the verdicts of validation, and items of the review queue."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from pydantic import Field, TypeAdapter

from membus.core.identity import Id, Record
from membus.facts.attributes import former_keys
from membus.facts.observation import FactKind, Observation
from membus.tenants.settings import ExtractionSettings

Stance = Literal["stated", "past", "hypothetical", "negated", "question"]
QUOTE_MAX = 300
"""A bound on the evidence in every fact and in the profile: a model may quote a whole letter."""
CONFIDENCE = 0.9
"""The confidence in what the user says of themselves once."""
ENDING_STANCES: frozenset[Stance] = frozenset({"negated", "past"})
"""Stances of a candidate that ends the value it names, and teaches none."""


class Candidate(Record):
    """A fact as the model proposes it, before anybody believes it."""

    event_id: str
    subject: str = Field(description="`user`, or the name of whoever else the fact is about")
    attribute: str = Field(description="dotted lower-case path, e.g. home.city, likes, family.sister")
    value: str
    quote: str = Field(description="the exact words of that event that say so")
    kind: FactKind
    stance: Stance


class Extractor(Record):
    """The model that proposed candidates and its prompt, both kept with every fact.

    `instructions` are its text; `settings` are what the tenant and its agent want kept.
    """

    model: str
    prompt_version: str
    instructions: str = ""
    settings: ExtractionSettings = ExtractionSettings()


@dataclass(frozen=True)
class Speaker:
    """What is known of a speaker: names, and the time zone (IANA) in which the days begin."""

    names: tuple[str, ...] = ()
    timezone: str | None = None


class EventAnswer(Record):
    """The candidates of one answer that name the event.

    `by` is the model that gave it, perhaps a fallback.
    """

    by: str
    candidates: tuple[Candidate, ...] = ()


ANSWERS_ADAPTER = TypeAdapter(tuple[EventAnswer, ...])
"""The stored form of the answers about one event."""
AnswersByEvent = Mapping[str, Sequence[EventAnswer]]
"""By event id; an event in several questions has several answers, one without facts has an empty one."""


def answers_by_event(
    asked: Iterable[str], candidates: Sequence[Candidate], *, by: str
) -> dict[str, EventAnswer]:
    """Return each asked event's part of an answer."""
    return {
        event_id: EventAnswer(
            by=by, candidates=tuple(each for each in candidates if each.event_id == event_id)
        )
        for event_id in dict.fromkeys(asked)
    }


RejectionReason = Literal[
    "unknown_event",  # names an event that was not shown
    "ungrounded",  # quotes what nobody said
    "unsaid",  # the value does not stand in what was said
    "malformed",  # no key, no value, or one too long
    "reserved",  # an attribute that only rules write
    "unwanted",  # an attribute that the tenant never keeps
    "secret",  # a password, key, token, card or account number: not even kept for review
    "third_party",  # about somebody else
    "assistant",  # the assistant's own words
    "recalled",  # memory read back
    "prompt",  # the words of the extraction prompt
    "question",
    "hypothetical",
    "negated",
    "past",  # no longer so, and nobody said from when to when
    "role_play",  # said in a part that somebody plays
]
ReviewReason = Literal[
    "instruction",  # addresses its reader
    "url",  # points somewhere else
    "hearsay",  # what somebody else says about the user
    "quoted",  # another's text, a code block, a text to be translated
    "sarcasm",  # marked as not meant
    "not_yet",  # will be so, is not
    "too_many_changes",  # one event that rewrites who somebody is
]
VerdictReason = RejectionReason | ReviewReason
REVIEW_REASONS: frozenset[VerdictReason] = frozenset(get_args(ReviewReason))
"""Reasons that a person may overrule: they are in the wording, which deceives in both directions.

A rejected candidate is wrong whoever looks at it, or must not be kept for anybody to look at.
"""


class Rejection(Record):
    """The verdict on a candidate of which only the count of its reason is kept."""

    reason: VerdictReason


class ReviewRequest(Record):
    """The verdict on a doubtful candidate.

    An approval makes it a correction: a person then vouches for it.
    """

    reason: VerdictReason
    observation: Observation


Verdict = Observation | ReviewRequest | Rejection
ReviewDecision = Literal["waiting", "approved", "rejected"]
REVIEW_LIFETIME = timedelta(days=30)
"""The time an item waits for a decision, from when its event was learned."""


class ReviewItem(Record):
    """A doubtful candidate. Its id is made of event and key, so a copy of the event adds no second item."""

    quarantine_id: Id
    reason: VerdictReason
    observation: Observation
    decision: ReviewDecision = "waiting"

    @property
    def former_ids(self) -> list[str]:
        """The ids that older versions gave the item, under which a person may have rejected it."""
        event_id = self.observation.provenance.event_id
        return [review_item_id(event_id, key) for key in former_keys(self.observation.key)]

    @property
    def expires_at(self) -> datetime:
        return self.observation.learned_at + REVIEW_LIFETIME


def review_item_for(request: ReviewRequest) -> ReviewItem:
    seen = request.observation
    identity = review_item_id(seen.provenance.event_id, seen.key)
    return ReviewItem(quarantine_id=identity, reason=request.reason, observation=seen)


def review_item_id(event_id: str, key: str) -> str:
    return hashlib.sha256(f"{event_id}\n{key}".encode()).hexdigest()[:32]
