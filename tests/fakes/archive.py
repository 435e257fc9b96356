"""An archive that answers what a test says, and keeps what it was asked."""

from membus.domain.archive_query import ArchiveQuery, QueryResult
from membus.errors import MembusError


class InMemoryArchiveQueries:
    def __init__(self) -> None:
        self.asked: list[ArchiveQuery] = []
        self.told: QueryResult | MembusError = QueryResult(columns=("n",), rows=(("3",),), complete=True)

    def answer(self, question: ArchiveQuery) -> QueryResult:
        self.asked.append(question)
        if isinstance(self.told, MembusError):
            raise self.told
        return self.told
