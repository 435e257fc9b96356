"""What a store hands to the ranking: passages that may answer, those said beside them, and figures of their scope."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

Columns = dict[str, list[float]]


@dataclass(frozen=True)
class Row:
    """One passage. `position` numbers the messages of a session without gaps; "" as session stands alone.

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
    """The rows of one search with their ties: which share a message, which message was said before, which session."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.stems = [row.stems.split() for row in rows]
        self.messages = _grouped([row.group_id for row in rows])
        self.sessions = _grouped([row.session or row.group_id for row in rows])
        self._places = {(row.session, row.position): row.group_id for row in rows if row.session}

    def beside(self, row: Row, offset: int) -> str | None:
        """Return the message that was said `offset` messages later (earlier when negative), if it was gathered."""
        return self._places.get((row.session, row.position + offset))


def _grouped(keys: Sequence[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        groups[key].append(index)
    return dict(groups)
