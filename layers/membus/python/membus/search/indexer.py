"""Brings memories into the search index: cut into passages, each text embedded once."""

from collections.abc import Callable, Sequence

from membus.core.errors import VectorsPendingError
from membus.llm.ports import EmbeddingModel, Vector
from membus.search.model import Memory
from membus.search.ports import MemoryIndex
from membus.search.retrieval import index_entry

BACKFILL_TEXTS = EMBED_BATCH_TEXTS = 64


class Indexer:
    """`embedder` returns the model at the cost of a tenant.

    Every method raises BudgetError where the tenant's budget is spent; memories can be found by their words
    then.
    """

    def __init__(self, embedder: Callable[[str], EmbeddingModel], index: MemoryIndex) -> None:
        self._embedder, self._index = embedder, index

    def index_memories(self, tenant: str, memories: Sequence[Memory]) -> None:
        """Make the memories of one tenant searchable, by words and by meaning.

        Raises:
            VectorsPendingError: some texts have no vector yet; a backfill, or indexing again, gives them one.
            UnavailableError: the index does not answer.
        """
        self._embed(tenant, self._index.put(tenant, [index_entry(memory) for memory in memories]))

    def get_vectors(self, tenant: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of texts: those of the index, and those that are embedded now."""
        known = self._index.get_vectors(tenant, texts)
        new = [text for text in texts if text not in known]
        return known | dict(self._embedder(tenant).embed_texts(new).vectors) if new else known

    def index_words(self, tenant: str, memory: Memory) -> bool:
        """Make a memory searchable by its words; return whether all its vectors are there, too."""
        return not self._index.put(tenant, [index_entry(memory)])

    def backfill_vectors(self, tenant: str) -> int:
        """Give vectors to some texts of the tenant that lack one of this model; return their number."""
        pending = self._index.list_pending_texts(tenant, limit=BACKFILL_TEXTS)
        self._embed(tenant, pending)
        return len(pending)

    def _embed(self, tenant: str, texts: Sequence[str]) -> None:
        """Attach vectors batch by batch, so that a run that is cut off continues where it was."""
        missing = 0
        for start in range(0, len(texts), EMBED_BATCH_TEXTS):
            batch = texts[start : start + EMBED_BATCH_TEXTS]
            embedded = self._embedder(tenant).embed_texts(batch)
            self._index.attach_vectors(tenant, embedded.vectors)
            missing += len(set(batch) - set(embedded.vectors) - embedded.refused)
        if missing:
            raise VectorsPendingError(f"{missing} texts wait for their vectors")
