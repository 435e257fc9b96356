"""An archive that answers what a test says, and keeps what it was asked."""

from membus.core.errors import MembusError
from membus.episodes.archive.model import ArchiveQuery, QueryResult


class InMemoryArchiveQueries:
    def __init__(self) -> None:
        self.asked: list[ArchiveQuery] = []
        self.told: QueryResult | MembusError = QueryResult(columns=("n",), rows=(("3",),), complete=True)

    def run_query(self, question: ArchiveQuery) -> QueryResult:
        self.asked.append(question)
        if isinstance(self.told, MembusError):
            raise self.told
        return self.told
