"""How far a model's count lies from our estimate, learned from the usage that each of its answers reports."""

from membus.domain.marks import Rate
from membus.domain.prompt import Usage

LOWEST, HIGHEST = 0.8, 2.0
"""An estimate is never off by more; a report beyond that counts something that we did not send."""
UNKNOWN = 1.2
"""Until a model has answered in this conversation.

What its first prompt holds is far below the ceiling anyway.
"""
_FALLING = 0.2
"""A ratio rises at once and falls by a fifth of the way.

To send too little costs less than to send too much.
"""


def calibrated(rate: Rate | None, model: str, *, estimated: int, usage: Usage) -> Rate:
    """Return the rate after an answer of `model` to a prompt of so many estimated tokens."""
    counted = usage.input + usage.cache_read + usage.cache_write
    seen = min(max(counted / max(estimated, 1), LOWEST), HIGHEST)
    if rate is None or rate.model != model or seen >= rate.ratio:
        return Rate(model=model, ratio=round(seen, 4))
    return Rate(model=model, ratio=round(rate.ratio + (seen - rate.ratio) * _FALLING, 4))


def ratio_of(rate: Rate | None) -> float:
    return rate.ratio if rate else UNKNOWN
