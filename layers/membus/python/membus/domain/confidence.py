"""How sure a fact is: surer each time it is said again, less sure the longer it is not."""

import math
from datetime import datetime, timedelta

from membus.domain.observations import FactKind, Trust

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
