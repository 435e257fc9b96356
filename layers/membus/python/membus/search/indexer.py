"""Bring memories into the search index: cut into passages, each text embedded once."""

from collections.abc import Callable, Sequence

from membus.core.errors import UnavailableError
from membus.llm.ports import EmbeddingModel, Vector
from membus.search.model import Memory
from membus.search.ports import MemoryIndex
from membus.search.retrieval import index_entry

BACKFILL_TEXTS = EMBED_BATCH_TEXTS = 64


class Indexer:
    """`embedder` is a function of the tenant who pays for the vectors.

    Everything here raises BudgetError where a tenant's money is spent: what is put is found by its words by
    then.
    """

    def __init__(self, embedder: Callable[[str], EmbeddingModel], index: MemoryIndex) -> None:
        self._embedder, self._index = embedder, index

    def index_memories(self, tenant: str, memories: Sequence[Memory]) -> None:
        """Make the memories of one tenant searchable.

        By their words at once, by their meaning with their vectors.

        Raises:
            UnavailableError: some texts have no vector yet; putting the same memories again is safe.
        """
        self._embed(tenant, self._index.put(tenant, [index_entry(memory) for memory in memories]))

    def get_vectors(self, tenant: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Return the texts' vectors as far as there are any.

        Those the tenant has already, the others embedded now.
        """
        known = self._index.get_vectors(tenant, texts)
        fresh = [text for text in texts if text not in known]
        return known | dict(self._embedder(tenant).embed_texts(fresh).vectors) if fresh else known

    def index_words(self, tenant: str, memory: Memory) -> bool:
        """Make a memory searchable by its words; say whether its vectors are all there, too."""
        return not self._index.put(tenant, [index_entry(memory)])

    def backfill_vectors(self, tenant: str) -> int:
        """Give vectors to some of the tenant's texts that lack one of this model.

        Return how many were found.
        """
        waiting = self._index.list_pending_texts(tenant, limit=BACKFILL_TEXTS)
        self._embed(tenant, waiting)
        return len(waiting)

    def _embed(self, tenant: str, texts: Sequence[str]) -> None:
        """Attach some vectors after the other: who is cut off in a long text goes on where it was."""
        missing = 0
        for start in range(0, len(texts), EMBED_BATCH_TEXTS):
            some = texts[start : start + EMBED_BATCH_TEXTS]
            embedded = self._embedder(tenant).embed_texts(some)
            self._index.attach_vectors(tenant, embedded.vectors)
            missing += len(set(some) - set(embedded.vectors) - embedded.refused)
        if missing:
            raise UnavailableError(f"{missing} texts wait for their vectors")
