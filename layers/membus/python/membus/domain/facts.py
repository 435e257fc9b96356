"""Facts: what was observed about a user, and what those observations add up to.

An observation is immutable and owes its identity to the event that caused it. The current fact is a fold over
all observations of its key, so the order in which events arrive cannot change it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from membus.domain.attributes import FactKey
from membus.domain.identity import Id, Record

Kind = Literal[
    "identity", "place", "preference", "possession", "work", "goal", "plan", "relationship", "experience",
    "health", "behaviour", "setting",
]  # fmt: skip
VALUE_MAX = 1000


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
    quote: str
    rule: str | None = None
    model: str | None = None
    prompt_version: str | None = None


class Observation(Record):
    """One event's word on one key. `valid_from` is when it became true, `learned_at` when membus heard of it.

    Without a value it takes the fact back, which only a person may do.
    """

    key: FactKey
    value: str | None = Field(max_length=VALUE_MAX)
    kind: Kind
    trust: Trust
    confidence: float = Field(ge=0, le=1)
    valid_from: AwareDatetime
    learned_at: AwareDatetime
    provenance: Provenance

    @model_validator(mode="after")
    def _only_a_person_takes_back(self) -> Self:
        if self.value is None and self.trust is not Trust.CORRECTED:
            raise ValueError("only a person takes a fact back")
        return self

    @property
    def retracted(self) -> bool:
        return self.value is None


class Fact(Observation):
    """The current value of a key. `version` counts its observations, `replaced` is the value it took over from.

    A retracted fact has no value: it is kept, so that nothing brings it back by mistake, and no reader is shown it.
    """

    version: int
    replaced: str | None = None


class Version(Observation):
    """One entry of a key's history, numbered in the order it was learned."""

    version: int
    current: bool


def fold(observations: Iterable[Observation]) -> Fact | None:
    """Return what the observations of one key add up to, or None where there are none.

    A retraction ends what was heard before it, and after it only a correction speaks. Otherwise the latest
    `valid_from` wins, except that nothing overrides a human correction but another one. The same value said again
    confirms the fact: it keeps the date and the evidence of the first time.
    """
    learned = sorted(observations, key=_by_learning)
    *earlier, end = [-1, *(place for place, seen in enumerate(learned) if seen.retracted)]
    current, replaced = _since(learned, end)
    if current is None and earlier:
        before, _ = _since(learned[:end], earlier[-1])
        current, replaced = learned[end], before.value if before else None
    return Fact(**dict(current), version=len(learned), replaced=replaced) if current else None


def history(observations: Iterable[Observation]) -> list[Version]:
    """Return every observation of one key in the order it was learned, the one that holds now marked."""
    learned = sorted(observations, key=_by_learning)
    now = fold(learned)
    believed = now and now.provenance.event_id
    return [
        Version(**dict(seen), version=number, current=seen.provenance.event_id == believed)
        for number, seen in enumerate(learned, start=1)
    ]


def as_of(
    observations: Sequence[Observation], *, true_at: datetime | None, known_at: datetime | None
) -> list[Observation]:
    """Return the observations that were true by `true_at` and known by `known_at`; None means now."""
    return [
        seen
        for seen in observations
        if (true_at is None or seen.valid_from <= true_at) and (known_at is None or seen.learned_at <= known_at)
    ]


def by_key(observations: Iterable[Observation]) -> dict[str, list[Observation]]:
    """Return the observations grouped by key, keys in first-seen order."""
    grouped: dict[str, list[Observation]] = {}
    for seen in observations:
        grouped.setdefault(seen.key, []).append(seen)
    return grouped


def _since(learned: Sequence[Observation], end: int) -> tuple[Observation | None, str | None]:
    """Return what was settled after the retraction at place `end` (-1: none yet), where only corrections count."""
    heard = learned[end + 1 :]
    return _settled(heard if end < 0 else [seen for seen in heard if seen.trust is Trust.CORRECTED])


def _settled(observations: Iterable[Observation]) -> tuple[Observation | None, str | None]:
    """Return the observation that holds among those with a value, and the value it took over from."""
    current: Observation | None = None
    replaced: str | None = None
    for seen in sorted(observations, key=_by_truth):
        if current is None:
            current = seen
        elif _same(seen, current):
            current = seen if _outranks(seen, current) else current
        elif seen.trust is Trust.CORRECTED or current.trust is not Trust.CORRECTED:
            current, replaced = seen, current.value
    return current, replaced


def _outranks(seen: Observation, current: Observation) -> bool:
    """Whether the same value counts from now on as `seen` has it: a better source, or a person's latest word."""
    if seen.trust is current.trust is Trust.CORRECTED:
        return _by_learning(seen) > _by_learning(current)
    return seen.trust.rank > current.trust.rank


def _by_truth(seen: Observation) -> tuple[datetime, datetime, str]:
    return seen.valid_from, seen.learned_at, seen.provenance.event_id


def _by_learning(seen: Observation) -> tuple[datetime, str]:
    return seen.learned_at, seen.provenance.event_id


def _same(one: Observation, other: Observation) -> bool:
    return (one.value or "").casefold() == (other.value or "").casefold()
