"""Which candidates are judged together with what was said beside them.

The best by what they say themselves.
"""

from collections.abc import Mapping

from membus.domain.search.context import deviation_unit
from membus.domain.search.lexical import match_unit
from membus.domain.search.rows import ScopeStatistics

NEIGHBOURED_CANDIDATES = 40
_WORDS_FACTOR = 1.5


def select_for_neighbours(
    near: Mapping[str, float], worded: Mapping[str, float], scope: ScopeStatistics
) -> list[str]:
    """Return the ids of those, best first, of candidates with their similarity, and with the worth of their words.

    What the words alone found is taken for as close as the last of the nearest: it can be no closer.
    """
    match, good, floor = (
        match_unit(scope) / _WORDS_FACTOR,
        deviation_unit(scope),
        min(near.values(), default=0.0),
    )
    promise = {
        row_id: -near.get(row_id, floor) / good - worded.get(row_id, 0.0) / match
        for row_id in {**near, **worded}
    }
    return sorted(promise, key=lambda row_id: (promise[row_id], row_id))[:NEIGHBOURED_CANDIDATES]
