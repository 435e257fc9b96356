"""What a store hands to the ranking: passages that may answer, those said beside them, and figures of their scope."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

Columns = dict[str, list[float]]
Key = TypeVar("Key")


@dataclass(frozen=True)
class Row:
    """One passage. Messages said one after the other have positions that follow; "" as session stands alone.

    `group_id` is the message, event, fact or document that the passage is part of; `similarity` is the cosine to the
    question, None where the search is by words alone; `message_length` counts the stems of all passages together.
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
class Scope:
    """Figures over every row that the search may see; a sample of some 500 rows serves as well for the last two."""

    rows: int
    average_length: float
    frequencies: Mapping[str, int]
    similarity_mean: float = 0.0
    similarity_deviation: float = 1.0


class Gathered:
    """The rows of one search with their ties, each as the indices of the rows that share it.

    `messages` by group, `sittings` by session and day, `places` by session and position in it.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.stems = [row.stems.split() for row in rows]
        self.messages = _grouped([row.group_id for row in rows])
        self.sittings = _grouped([sitting_of(row) for row in rows])
        places = _grouped([(row.session, row.position) for row in rows])
        self.places = {place: members for place, members in places.items() if place[0]}


def sitting_of(row: Row) -> tuple[str, object]:
    """A session that goes on for weeks is as many sittings as it has days; what has no session stands alone."""
    return (row.session, row.occurred_at.date()) if row.session else ("", row.group_id)


def _grouped(keys: Sequence[Key]) -> dict[Key, list[int]]:
    groups: dict[Key, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        groups[key].append(index)
    return dict(groups)
