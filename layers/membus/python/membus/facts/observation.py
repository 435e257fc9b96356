"""Observations: what one event says about one key. Immutable, and owing their identity to that event.

How sure a fact is: surer each time it is said again, less sure the longer it is not.
"""

import math
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from membus.core.identity import Id, Record
from membus.facts.attributes import FactKey

FactKind = Literal[
    "identity",
    "place",
    "preference",
    "possession",
    "work",
    "goal",
    "plan",
    "relationship",
    "experience",
    "health",
    "behaviour",
    "setting",
]
VALUE_MAX = 1000
CLAIM_SPAN = timedelta(days=1)
"""Nobody moves twice in a day.

Two agents who hear of two homes within one have been told two different things.
"""


class Trust(StrEnum):
    """Who says so, the least believed first; nothing overrides a human correction but another one."""

    THIRD_PARTY = "third_party"
    OBSERVED = "observed"
    USER_STATED = "user_stated"
    CORRECTED = "corrected"

    @property
    def rank(self) -> int:
        return list(Trust).index(self)


class Provenance(Record):
    """Why a fact is believed: the event, its words, and the rule or the model and prompt that read them."""

    event_id: Id
    event_type: str
    origin: str
    agent_id: str = "default"
    quote: str
    rule: str | None = None
    model: str | None = None
    prompt_version: str | None = None


class Observation(Record):
    """One event's word on one key. `valid_from` is when it became true, `learned_at` when membus heard of it.

    Without a value it takes the fact back, which only a person may do. `valid_until` is when it ended or will
    end, None while nobody knows of an end. `said_at` is when it was said, where its words name another
    beginning: it still held then.
    """

    key: FactKey
    value: str | None = Field(max_length=VALUE_MAX)
    kind: FactKind
    trust: Trust
    confidence: float = Field(ge=0, le=1)
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None
    said_at: AwareDatetime | None = None
    learned_at: AwareDatetime
    provenance: Provenance

    @model_validator(mode="after")
    def _only_a_person_takes_back(self) -> Self:
        if self.value is None and self.trust is not Trust.CORRECTED:
            raise ValueError("only a person takes a fact back")
        return self

    @property
    def is_retracted(self) -> bool:
        return self.value is None

    @property
    def last_known_at(self) -> datetime:
        """The last moment at which it was known to be so.

        What is said to hold since 2019 holds when it is said.
        """
        said = self.said_at or self.valid_from
        return min(said, self.valid_until) if self.valid_until else said

    @property
    def source_id(self) -> tuple[str, str]:
        """The door it came through and the agent it was said to."""
        return self.provenance.origin, self.provenance.agent_id

    def has_same_value_as(self, other: "Observation") -> bool:
        return (self.value or "").casefold() == (other.value or "").casefold()

    @property
    def claimed_until(self) -> datetime:
        """The end of the time it speaks of; a claim that names no span covers the day after it was made."""
        return self.valid_until or max(self.said_at or self.valid_from, self.valid_from + CLAIM_SPAN)


DOUBT_LEFT = 0.5
"""One person who says a thing twice is no second witness: each time again halves what doubt is left."""
CONFIDENCE_MAX = 0.99
"""No number of repetitions makes certain what is not; only an act or a person's correction is (1.0)."""
_DAYS: dict[FactKind, int | None] = {
    "identity": None,  # a name, a birthday
    "experience": None,  # what happened has happened
    "setting": None,  # holds until it is changed
    "relationship": 4 * 365,
    "health": 4 * 365,
    "place": 3 * 365,
    "possession": 3 * 365,
    "work": 2 * 365,
    "preference": 2 * 365,
    "goal": 180,
    "plan": 30,
    "behaviour": 14,  # three errors in March frustrate nobody in May
}
HALF_LIFE: dict[FactKind, timedelta | None] = {
    kind: timedelta(days=days) if days else None for kind, days in _DAYS.items()
}
"""After this long without a word the confidence is half; None: time does not touch it.

Judgement, not measurement: people in Europe move about every ten years and change employers about every five,
and what counts is the wrong half.
"""


def reinforce_confidence(surest: float, times: int) -> float:
    """Return the confidence in what was said so often.

    `1 - (1 - surest) * 0.5 ** (times - 1)`, at most 0.99.
    """
    return max(surest, min(CONFIDENCE_MAX, round(1 - (1 - surest) * DOUBT_LEFT ** (times - 1), 4)))


def decay_confidence(
    confidence: float, kind: FactKind, trust: Trust, *, last_seen: datetime, now: datetime
) -> float:
    """Return the confidence that is left at `now`; what a person corrected holds until they say otherwise."""
    half_life = HALF_LIFE[kind]
    if half_life is None or trust is Trust.CORRECTED or now <= last_seen:
        return confidence
    half_lives = (now - last_seen) / half_life
    return round(confidence * math.pow(0.5, half_lives), 4)
