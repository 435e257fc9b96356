"""Bring memories into the search index: cut into passages, each text embedded once."""

from collections.abc import Callable, Sequence

from membus.domain.memory import Memory
from membus.domain.retrieval import entry_of
from membus.errors import UnavailableError
from membus.ports.embedder import Embedder, Vector
from membus.ports.memories import MemoryIndex

BACKFILL_TEXTS = 64


class Indexer:
    """`embedder` is a function of the tenant who pays for the vectors.

    Everything here raises BudgetError where a tenant's money is spent: what is put is found by its words by then.
    """

    def __init__(self, embedder: Callable[[str], Embedder], index: MemoryIndex) -> None:
        self._embedder, self._index = embedder, index

    def put(self, tenant: str, memories: Sequence[Memory]) -> None:
        """Make the memories of one tenant searchable: by their words at once, by their meaning with their vectors.

        Raises:
            UnavailableError: some texts have no vector yet; putting the same memories again is safe.
        """
        self._embed(tenant, self._index.put(tenant, [entry_of(memory) for memory in memories]))

    def vectors(self, tenant: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Return the texts' vectors as far as there are any: those the tenant has already, the others embedded now."""
        known = self._index.vectors(tenant, texts)
        fresh = [text for text in texts if text not in known]
        return known | dict(self._embedder(tenant).embed(fresh).vectors) if fresh else known

    def backfill(self, tenant: str) -> int:
        """Give vectors to some of the tenant's texts that lack one of this model; return how many were found."""
        waiting = self._index.pending(tenant, limit=BACKFILL_TEXTS)
        self._embed(tenant, waiting)
        return len(waiting)

    def _embed(self, tenant: str, texts: Sequence[str]) -> None:
        if not texts:
            return
        embedded = self._embedder(tenant).embed(texts)
        self._index.attach(tenant, embedded.vectors)
        if missing := set(texts) - set(embedded.vectors) - embedded.refused:
            raise UnavailableError(f"{len(missing)} texts wait for their vectors")
