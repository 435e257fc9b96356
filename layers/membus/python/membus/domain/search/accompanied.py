"""Which candidates are judged together with what was said beside them.

The best by what they say themselves.
"""

from collections.abc import Mapping

from membus.domain.search.context import good_deviation
from membus.domain.search.lexical import good_match
from membus.domain.search.rows import Scope

ACCOMPANIED = 40
_WORDS = 1.5


def accompanied(near: Mapping[str, float], worded: Mapping[str, float], scope: Scope) -> list[str]:
    """Return the ids of those, best first, of candidates with their similarity, and with the worth of their words.

    What the words alone found is taken for as close as the last of the nearest: it can be no closer.
    """
    match, good, floor = good_match(scope) / _WORDS, good_deviation(scope), min(near.values(), default=0.0)
    promise = {
        row_id: -near.get(row_id, floor) / good - worded.get(row_id, 0.0) / match
        for row_id in {**near, **worded}
    }
    return sorted(promise, key=lambda row_id: (promise[row_id], row_id))[:ACCOMPANIED]
