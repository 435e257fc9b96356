"""What was true of one key, period after period.

The fold over its observations, at every moment that changed it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from membus.facts.fact import Fact, fact_as_of
from membus.facts.observation import Observation

FACT_PERIODS_MAX = 20
"""So many of a key's newest periods can be searched as of their time; its history has them all."""


class FactPeriod(NamedTuple):
    """What held from `start` until something else did, or holds now where there is no `end`."""

    fact: Fact
    start: datetime
    end: datetime | None


def fact_periods(observations: Sequence[Observation]) -> list[FactPeriod]:
    """Return the periods in their order; the last one is what the observations add up to."""
    starts = sorted({seen.valid_from for seen in observations})[-FACT_PERIODS_MAX - 1 :]
    held: list[tuple[Fact, datetime]] = []
    for start in starts:
        fact = fact_as_of(observations, true_at=start)
        if fact and held and held[-1][0].value == fact.value:
            held[-1] = (fact, held[-1][1])
        elif fact:
            held.append((fact, start))
    ends = [*(start for _, start in held[1:]), None]
    return [FactPeriod(fact, start, end) for (fact, start), end in zip(held, ends, strict=True)]
