"""How memories are searched: the store fetches rows, this package makes every score.

Index: `index_passages(text, speaker=…)` gives one row per passage. Ask: `read_query(text, now=…)` gives the
terms that the store looks for; the store answers with `Row`s (its candidates by vector and by words, and the
messages said beside them) and the `Scope`'s figures. Answer: `rank(query, rows, scope, limit=k)`.
"""

from membus.domain.search.passages import Passage, index_passages
from membus.domain.search.query import SearchQuery, parse_query
from membus.domain.search.ranking import RankedPassage, rank_passages
from membus.domain.search.rows import PassageRow, ScopeStatistics

__all__ = ["Passage", "Query", "Ranked", "Row", "Scope", "index_passages", "rank", "read_query"]
