"""The composition of search.

Documents, the index over Postgres, the embedding model, and what it falls back to.
"""

from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING

from membus.wiring import _env, contents, now
from membus.wiring_postgres import functions_login, postgres_address
from membus.wiring_usage import account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from membus.aws.postgres import PostgresConnection, TenantTransactions
    from membus.episodes.ports import EpisodeReader, RecentEvents
    from membus.events.ports import EventBus
    from membus.llm.ports import EmbeddingModel
    from membus.search.indexer import Indexer
    from membus.search.ports import DocumentStore, MemoryIndex, MemorySearchClient, ScopeIndexes

CONNECT_SECONDS = 3
"""A search would rather answer less than wait for a database that wakes up."""
EMBED_SECONDS = 10


@cache
def documents() -> "DocumentStore":
    from membus.aws.clients import dynamodb_table
    from membus.search.dynamodb import DynamoDocuments

    return DynamoDocuments(dynamodb_table(_env("MEMORY_TABLE")), contents(), now)


@cache
def recent() -> "RecentEvents":
    from membus.aws.clients import dynamodb_table
    from membus.episodes.dynamodb import DynamoRecentEvents

    return DynamoRecentEvents(dynamodb_table(_env("MEMORY_TABLE")))


def embedder(tenant: str, model_id: str | None = None) -> "EmbeddingModel":
    """Return the embedding model at the cost of `tenant`."""
    from membus.llm.metering import MeteredEmbeddingModel

    return MeteredEmbeddingModel(_titan(model_id or embedding_model()), account(tenant))


@cache
def recollection() -> "MemorySearchClient":
    """Chat would rather answer from what it has than wait for a search."""
    from membus.aws.clients import aws_client
    from membus.search.lambda_ import LambdaMemorySearch

    return LambdaMemorySearch(
        aws_client("lambda", attempts=1, read_timeout_seconds=5), _env("RECALL_FUNCTION")
    )


@cache
def episodes() -> "EpisodeReader":
    """Read them where they lie open: memory merges both tiers."""
    from membus.aws.clients import aws_client
    from membus.search.lambda_ import LambdaEpisodes

    return LambdaEpisodes(aws_client("lambda", attempts=1, read_timeout_seconds=5), _env("RECALL_FUNCTION"))


@cache
def _titan(model_id: str) -> "EmbeddingModel":
    from membus.aws.clients import aws_client
    from membus.llm.titan import TitanEmbeddings

    return TitanEmbeddings(aws_client("bedrock-runtime", read_timeout_seconds=EMBED_SECONDS), model_id)


@cache
def memory_index(model_id: str | None = None) -> "MemoryIndex":
    from membus.search.postgres.store import PostgresMemories

    return PostgresMemories(_transactions(), model=model_id or embedding_model())


def indexer(model_id: str | None = None) -> "Indexer":
    """Return what indexes for the embedding model in use, or for one that is filled in beside it."""
    from membus.search.indexer import Indexer

    return Indexer(partial(embedder, model_id=model_id), memory_index(model_id))


@cache
def announcements() -> "EventBus":
    """The bus again, for what membus itself says: nobody learns facts from it."""
    from membus.aws.clients import aws_client
    from membus.events.eventbridge import ANNOUNCEMENTS, EventBridgeBus

    return EventBridgeBus(aws_client("events"), _env("BUS_NAME"), source=ANNOUNCEMENTS)


@cache
def _transactions() -> "TenantTransactions":
    from membus.aws.postgres import TenantTransactions

    return TenantTransactions(_connect)


def _connect() -> "PostgresConnection":
    """Log in with the secret as it is now: a password that was rotated costs one reconnection."""
    from membus.aws.postgres import connect_postgres

    return connect_postgres(postgres_address(), functions_login(), patience_seconds=CONNECT_SECONDS)


@contextmanager
def scope_indexes(*, patience_seconds: float) -> "Iterator[ScopeIndexes]":
    """Open the indexes of large scopes as the owner of the schema and close the connection behind it."""
    from membus.aws.postgres import connect_postgres
    from membus.aws.secrets import read_login
    from membus.search.postgres.scope_indexes import PostgresScopeIndexes

    owner = read_login(_env("POSTGRES_OWNER_SECRET_ID"))
    with connect_postgres(postgres_address(), owner, patience_seconds=patience_seconds) as connection:
        yield PostgresScopeIndexes(connection)


def large_scope_rows() -> int:
    """Return the number of vectors from which on a scope is searched approximately."""
    return int(_env("LARGE_SCOPE_ROWS"))


def embedding_model() -> str:
    return _env("EMBEDDING_MODEL_ID")
