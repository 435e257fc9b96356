"""The parts of search: documents, the index in Postgres, and what fills it."""

from functools import cached_property
from typing import TYPE_CHECKING

from membus.aws.clients import aws_client
from membus.container.parts import Parts
from membus.llm.ports import EmbeddingModel
from membus.search.dynamodb import DynamoDocuments
from membus.search.indexer import Indexer
from membus.search.lambda_ import LambdaMemorySearch
from membus.search.ports import DocumentStore, MemoryIndex, MemorySearchClient

if TYPE_CHECKING:
    from membus.container import Container

CLIENT_SECONDS = 5


class SearchParts(Parts):
    """The parts for one embedding model; by default the one that searches use."""

    def __init__(self, container: "Container", embedding_model: str | None = None) -> None:
        super().__init__(container)
        self._embedding_model = embedding_model

    def for_model(self, embedding_model: str | None) -> "SearchParts":
        """Return the parts for another embedding model, whose vectors are stored beside those in use."""
        return SearchParts(self._container, embedding_model) if embedding_model else self

    @property
    def embedding_model(self) -> str:
        return self._embedding_model or self._settings.get_text("EMBEDDING_MODEL_ID")

    def get_embedder(self, tenant: str) -> EmbeddingModel:
        """Return the embedding model at the cost of `tenant`."""
        return self._container.llm.get_embedder(self.embedding_model, tenant)

    @cached_property
    def documents(self) -> DocumentStore:
        return DynamoDocuments(self._container.memory_table, self._container.blobs, self._container.clock)

    @cached_property
    def index(self) -> MemoryIndex:
        from membus.search.postgres.store import PostgresMemories

        return PostgresMemories(self._container.postgres.transactions, model=self.embedding_model)

    @cached_property
    def indexer(self) -> Indexer:
        return Indexer(self.get_embedder, self.index)

    @cached_property
    def client(self) -> MemorySearchClient:
        """Search through the API's function; chat would rather answer without passages than wait for them."""
        client = aws_client("lambda", attempts=1, read_timeout_seconds=CLIENT_SECONDS)
        return LambdaMemorySearch(client, self._settings.get_text("RECALL_FUNCTION"))

    @property
    def large_scope_rows(self) -> int:
        """The number of vectors from which on a scope is searched approximately."""
        return self._settings.get_number("LARGE_SCOPE_ROWS")
