"""What a store hands to the ranking.

Passages that may answer, those said beside them, and figures of their scope.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar

FeatureColumns = dict[str, list[float]]
GroupKey = TypeVar("GroupKey")


class PassageRow(NamedTuple):
    """One passage. Messages said one after the other have positions that follow; "" as session stands alone.

    `group_id` is the message, event, fact or document that the passage is part of; `similarity` is the cosine
    to the question, None where the search is by words alone; `message_length` counts the stems of all
    passages together. A tuple, for hundreds are made in a search.
    """

    id: str
    group_id: str
    session: str
    position: int
    part: int
    speaker: str | None
    occurred_at: datetime
    text: str
    stems: str
    message_length: int
    similarity: float | None


@dataclass(frozen=True)
class ScopeStatistics:
    """Figures over every row that the search may see.

    A sample of some 500 rows serves as well for the last two.
    """

    rows: int
    average_length: float
    frequencies: Mapping[str, int]
    similarity_mean: float = 0.0
    similarity_deviation: float = 1.0


class CandidateRows:
    """The rows of one search with their ties, each as the indices of the rows that share it.

    `stems` of each row in their order; `sittings` by session and day, `sessions` by session and position in
    it; what stands alone is in no session.
    """

    def __init__(self, rows: Sequence[PassageRow]) -> None:
        self.rows = rows
        self.stems = [row.stems.split() for row in rows]
        self.lengths = [len(stems) for stems in self.stems]
        self.sittings = _grouped([sitting_key(row) for row in rows])
        self.sessions: dict[str, dict[int, list[int]]] = defaultdict(dict)
        for index, row in enumerate(rows):
            if row.session:
                self.sessions[row.session].setdefault(row.position, []).append(index)


def sitting_key(row: PassageRow) -> tuple[str, object]:
    """A session that goes on for weeks is as many sittings as it has days.

    What has no session stands alone.
    """
    return (row.session, row.occurred_at.date()) if row.session else ("", row.group_id)


def _grouped(keys: Sequence[GroupKey]) -> dict[GroupKey, list[int]]:
    groups: dict[GroupKey, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    return groups
