"""Facts: what was observed about a user, and what those observations add up to.

An observation is immutable and owes its identity to the event that caused it. The current fact is a fold over
all observations of its key, so the order in which events arrive cannot change it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from membus.domain.attributes import FactKey
from membus.domain.identity import Id, Record

Kind = Literal[
    "identity", "place", "preference", "possession", "work", "goal", "plan", "relationship", "experience",
    "health", "behaviour", "setting",
]  # fmt: skip


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
    """One event's word on one key. `valid_from` is when it became true, `learned_at` when membus heard of it."""

    key: FactKey
    value: str = Field(max_length=1000)
    kind: Kind
    trust: Trust
    confidence: float = Field(ge=0, le=1)
    valid_from: AwareDatetime
    learned_at: AwareDatetime
    provenance: Provenance


class Fact(Observation):
    """The current value of a key. `version` counts its observations, `replaced` is the value it took over from."""

    version: int
    replaced: str | None = None


class Version(Observation):
    """One entry of a key's history, numbered in the order it was learned."""

    version: int
    current: bool


def fold(observations: Iterable[Observation]) -> Fact | None:
    """Return what the observations of one key add up to, or None where there are none.

    The latest `valid_from` wins, except that nothing overrides a human correction but another one. The same
    value said again confirms the fact: it keeps the date and the evidence of the first time.
    """
    current: Observation | None = None
    replaced: str | None = None
    count = 0
    for seen in sorted(observations, key=_by_truth):
        count += 1
        if current is None:
            current = seen
        elif _same(seen, current):
            current = current if seen.trust.rank <= current.trust.rank else seen
        elif seen.trust is Trust.CORRECTED or current.trust is not Trust.CORRECTED:
            current, replaced = seen, current.value
    return Fact(**dict(current), version=count, replaced=replaced) if current else None


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


def _by_truth(seen: Observation) -> tuple[datetime, datetime, str]:
    return seen.valid_from, seen.learned_at, seen.provenance.event_id


def _by_learning(seen: Observation) -> tuple[datetime, str]:
    return seen.learned_at, seen.provenance.event_id


def _same(one: Observation, other: Observation) -> bool:
    return one.value.casefold() == other.value.casefold()
