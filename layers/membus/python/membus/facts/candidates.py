"""What a model proposed for an event, kept beside it.

Read again at the same version, the event costs no question.

What a model proposes, who read it, and who spoke.

What the gate says of a candidate: believed, held for a person to decide, or refused for good.

Facts held back: what the gate would not believe by itself and a person may still approve or reject.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from pydantic import Field

from membus.core.identity import Id, Record
from membus.facts.observation import FactKind, Observation

Stance = Literal["stated", "hypothetical", "negated", "question"]


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
    """Which reader proposed: kept with every fact it led to.

    `instructions` are the words it was given to read by.
    """

    model: str
    prompt_version: str
    instructions: str = ""


@dataclass(frozen=True)
class Speaker:
    """What is known of who speaks: the names they go by, and the zone (IANA) in which their days begin."""

    names: tuple[str, ...] = ()
    timezone: str | None = None


class EventAnswer(Record):
    """The candidates of one answer that name the event.

    `by` is the model that gave it, a fallback perhaps.
    """

    by: str
    candidates: tuple[Candidate, ...] = ()


AnswersByEvent = Mapping[str, Sequence[EventAnswer]]
"""By event id; an event in several questions has several answers, one that holds nothing has an empty one."""


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
    "secret",  # a password, key, token, card or account number: kept nowhere, not even for review
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
"""Why a person may still approve: the signs are in the wording, and wording deceives in both directions.

What is refused is wrong whoever looks at it, or must not be kept for anybody to look at.
"""


class Rejection(Record):
    """Nothing of the candidate is kept but the count of its reason."""

    reason: VerdictReason


class ReviewRequest(Record):
    """A candidate in quarantine. Approved, it becomes a correction.

    Whoever said it, a person now vouches for it.
    """

    reason: VerdictReason
    observation: Observation


Verdict = Observation | ReviewRequest | Rejection
ReviewDecision = Literal["waiting", "approved", "rejected"]
REVIEW_LIFETIME = timedelta(days=30)
"""How long a held fact waits for somebody to look, counted from when its event was learned."""


class ReviewItem(Record):
    """One held candidate.

    Its id follows from the event and the key, so a copy of the event holds nothing twice.
    """

    quarantine_id: Id
    reason: VerdictReason
    observation: Observation
    decision: ReviewDecision = "waiting"

    @property
    def expires_at(self) -> datetime:
        return self.observation.learned_at + REVIEW_LIFETIME


def review_item_for(held: ReviewRequest) -> ReviewItem:
    seen = held.observation
    identity = hashlib.sha256(f"{seen.provenance.event_id}\n{seen.key}".encode()).hexdigest()[:32]
    return ReviewItem(quarantine_id=identity, reason=held.reason, observation=seen)
