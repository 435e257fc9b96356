"""The cost of successive prompts with a prompt cache: tokens read, written and sent anew in each turn."""

from collections.abc import Sequence
from dataclasses import dataclass, field

READ, WRITE = 0.10, 1.25
"""Of the price of a fresh input token (list prices, five minutes to live)."""
CACHED_MIN = 1_024
"""Shorter prefixes are not cached, silently."""


@dataclass(frozen=True)
class Part:
    """A block of a prompt: its bytes and its tokens."""

    text: str
    tokens: int


@dataclass
class Bill:
    """Sums the prompts of one conversation."""

    tokens: list[int] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    hits: list[bool] = field(default_factory=list)
    _before: Sequence[Part] = ()

    def add(self, parts: Sequence[Part], *, cached: int) -> None:
        """Add a prompt whose first `cached` parts end at the last cache point."""
        prefix = parts[:cached]
        shared = 0
        for one, other in zip(prefix, self._before, strict=False):
            if one != other:
                break
            shared += one.tokens
        read = shared if shared >= CACHED_MIN else 0
        held = sum(part.tokens for part in prefix)
        written = held - read if held >= CACHED_MIN else 0
        total = sum(part.tokens for part in parts)
        self.tokens.append(total)
        self.costs.append(read * READ + written * WRITE + total - read - written)
        self.hits.append(read > 0)
        self._before = prefix
