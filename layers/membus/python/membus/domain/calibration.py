"""How far a model's count lies from our estimate, learned from the usage that each of its answers reports."""

from membus.domain.marks import TokenRatio
from membus.domain.prompt import TokenUsage

RATIO_MIN, RATIO_MAX = 0.8, 2.0
"""An estimate is never off by more; a report beyond that counts something that we did not send."""
RATIO_UNKNOWN = 1.2
"""Until a model has answered in this conversation.

What its first prompt holds is far below the ceiling anyway.
"""
_RATIO_DECAY = 0.2
"""A ratio rises at once and falls by a fifth of the way.

To send too little costs less than to send too much.
"""


def update_ratio(rate: TokenRatio | None, model: str, *, estimated: int, usage: TokenUsage) -> TokenRatio:
    """Return the rate after an answer of `model` to a prompt of so many estimated tokens."""
    counted = usage.input + usage.cache_read + usage.cache_write
    seen = min(max(counted / max(estimated, 1), RATIO_MIN), RATIO_MAX)
    if rate is None or rate.model != model or seen >= rate.ratio:
        return TokenRatio(model=model, ratio=round(seen, 4))
    return TokenRatio(model=model, ratio=round(rate.ratio + (seen - rate.ratio) * _RATIO_DECAY, 4))


def ratio_or_default(rate: TokenRatio | None) -> float:
    return rate.ratio if rate else RATIO_UNKNOWN
