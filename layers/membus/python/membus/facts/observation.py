"""Observations: what one event says about one fact key. An observation is immutable and owned by its event.

The confidence of a fact rises each time it is said again, and falls with the time since.
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
"""The time that a claim without an end covers: two homes told to two agents within a day are a conflict."""
BUS_SECOND = timedelta(seconds=1)
"""The step of the bus's clock: what is said within a second may be learned at its beginning."""


class Trust(StrEnum):
    """Who says so, the least trusted first.

    A correction yields to a later one, and to what the user says since.
    """

    THIRD_PARTY = "third_party"
    OBSERVED = "observed"
    USER_STATED = "user_stated"
    CORRECTED = "corrected"

    @property
    def rank(self) -> int:
        return list(Trust).index(self)


class Provenance(Record):
    """Where an observation comes from: the event, its words, and the rule, or the model and its prompt.

    `position` is that of the event, where it has one.
    """

    event_id: Id
    event_type: str
    origin: str
    agent_id: str = "default"
    quote: str
    rule: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    position: int | None = Field(default=None, exclude_if=lambda place: place is None)


class Observation(Record):
    """What one event says about one key, true from `valid_from` and known to membus from `learned_at`.

    Without a value it is a retraction, which only a person may make. `valid_until` is when it ended or will
    end, None while no end is known. `said_at` is when it was said, where its words name another beginning: it
    was still true then. One that `denies` ends its value and teaches none. A `pinned` correction stands
    against what the user says later.
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
    denies: bool = Field(default=False, exclude_if=lambda denies: not denies)
    pinned: bool = Field(default=False, exclude_if=lambda pinned: not pinned)
    half_life_days: int | None = Field(default=None, exclude_if=lambda days: days is None)

    @model_validator(mode="after")
    def _only_a_person_takes_back(self) -> Self:
        if self.value is None and self.trust is not Trust.CORRECTED and not self.denies:
            raise ValueError("only a person takes a fact back")
        return self

    @property
    def is_retracted(self) -> bool:
        return self.value is None

    @property
    def last_known_at(self) -> datetime:
        """The last moment at which it was known to be true; «since 2019» is true when it is said."""
        said_at = self.said_at or self.valid_from
        return min(said_at, self.valid_until) if self.valid_until else said_at

    @property
    def is_own_act(self) -> bool:
        """Whether the user says it, or does it by changing a setting: what counts against a correction."""
        return self.trust is Trust.USER_STATED or (self.trust is Trust.OBSERVED and self.kind == "setting")

    @property
    def heard_at(self) -> datetime:
        """When it was learned; within the bus's second, when it was last known to be true."""
        return max(self.learned_at, min(self.last_known_at, self.learned_at + BUS_SECOND))

    def is_said_since(self, correction: "Observation") -> bool:
        """Whether the user says or does it after a correction was made: it was still true, and known, later."""
        return self.is_own_act and correction.learned_at < min(self.last_known_at, self.heard_at)

    @property
    def source_id(self) -> tuple[str, str]:
        """The origin of its event and the agent it was said to."""
        return self.provenance.origin, self.provenance.agent_id

    def has_same_value_as(self, other: "Observation") -> bool:
        return self.denies == other.denies and self.names_value_of(other)

    def names_value_of(self, other: "Observation") -> bool:
        return (self.value or "").casefold() == (other.value or "").casefold()

    @property
    def claimed_until(self) -> datetime:
        """The end of the time it speaks of; a claim that names no end covers the day after it was made."""
        return self.valid_until or max(self.said_at or self.valid_from, self.valid_from + CLAIM_SPAN)


DOUBT_LEFT = 0.5
"""The part of the doubt that one repetition leaves: a person who says a thing twice is no second witness."""
CONFIDENCE_MAX = 0.99
"""The most that repetitions come to; only an action or a correction is certain (1.0)."""
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
"""The time in which an unrepeated fact's confidence halves; None: it does not fall.

An estimate, not a measurement: people in Europe move about every ten years and change employers about every
five.
"""


def reinforce_confidence(surest: float, times: int) -> float:
    """Return the confidence after repetitions: `1 - (1 - surest) * 0.5 ** (times - 1)`, at most 0.99."""
    return max(surest, min(CONFIDENCE_MAX, round(1 - (1 - surest) * DOUBT_LEFT ** (times - 1), 4)))


def decay_confidence(
    confidence: float,
    kind: FactKind,
    trust: Trust,
    *,
    last_seen: datetime,
    now: datetime,
    half_life_days: int | None = None,
) -> float:
    """Return the confidence that is left at `now`; a correction's does not fall."""
    half_life = timedelta(days=half_life_days) if half_life_days else HALF_LIFE[kind]
    if half_life is None or trust is Trust.CORRECTED or now <= last_seen:
        return confidence
    half_lives = (now - last_seen) / half_life
    return round(confidence * math.pow(0.5, half_lives), 4)
