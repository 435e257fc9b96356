"""The composition root: reads the environment once, lazily, and names the variable that is missing."""

import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

import membus.adapters.aws  # noqa: F401 - every function needs boto3; while Lambda starts it, it loads at full speed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    from membus.adapters.postgres import Address
    from membus.domain.migration import Login
    from membus.ports.answers import AnswerStore
    from membus.ports.api_keys import ApiKeys
    from membus.ports.contents import ContentStore
    from membus.ports.conversations import ConversationStore
    from membus.ports.episodes import EpisodeReader
    from membus.ports.events import EpisodeStore, EventBus, Quarantine, SignalStore, SourceQueue
    from membus.ports.facts import FactStore
    from membus.ports.fresh import FreshWords
    from membus.ports.held_facts import HeldFacts
    from membus.ports.hot_tier import HotTier, LiveEntities
    from membus.ports.remains import Remains
    from membus.ports.schema import Schema
    from membus.ports.sealer import Sealer
    from membus.ports.states import StateStore
    from membus.ports.summaries import SummaryStore
    from membus.ports.traces import Traces

SECRET_SECONDS = 300
"""How long a rotated secret may stay in use in a warm function."""


def _env(name: str, default: str | None = None) -> str:
    """Return the variable `name`; an unset or empty one without a default is a deployment error, said by name."""
    value = os.environ.get(name) or default
    if value is None:
        raise RuntimeError(f"the environment variable {name} is not set")
    return value


def environment() -> str:
    return _env("ENVIRONMENT")


@cache
def api_keys() -> "ApiKeys":
    """The authorizer has five seconds in all, so it tries twice and briefly, then fails closed."""
    from membus.adapters.aws import table
    from membus.adapters.dynamo_api_keys import DynamoApiKeys

    return DynamoApiKeys(table(_env("TENANTS_TABLE"), attempts=2, read_timeout_seconds=1))


@cache
def route_scopes() -> "Mapping[str, str]":
    """Return the scope each route asks for, as Terraform read it from the OpenAPI document."""
    scopes: dict[str, str] = json.loads(_env("ROUTE_SCOPES"))
    return scopes


def now() -> datetime:
    return datetime.now(UTC)


@cache
def facts() -> "FactStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_facts import DynamoFacts

    return DynamoFacts(table(_env("MEMORY_TABLE")))


@cache
def held_facts() -> "HeldFacts":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_held_facts import DynamoHeldFacts

    return DynamoHeldFacts(table(_env("MEMORY_TABLE")), now)


@cache
def episodes() -> "EpisodeStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_episodes import DynamoEpisodes

    return DynamoEpisodes(table(_env("MEMORY_TABLE")), contents(), _episode_shards())


@cache
def hot_episodes() -> "EpisodeReader":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_episode_reader import DynamoEpisodeReader

    return DynamoEpisodeReader(table(_env("MEMORY_TABLE")), contents(), now, _episode_shards())


def _episode_shards() -> int:
    """Return over how many partitions one day of one agent is spread; it may grow and must not shrink."""
    return int(_env("EPISODE_SHARDS"))


@cache
def traces() -> "Traces":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_traces import DynamoTraces

    return DynamoTraces(table(_env("MEMORY_TABLE")))


@cache
def answers() -> "AnswerStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_answers import DynamoAnswers

    return DynamoAnswers(table(_env("MEMORY_TABLE")))


@cache
def signals() -> "SignalStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_signals import DynamoSignals

    return DynamoSignals(table(_env("MEMORY_TABLE")))


@cache
def conversations() -> "ConversationStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_conversations import DynamoConversations

    store, tier = DynamoConversations(table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.hot import HotConversations

    return HotConversations(store, tier)


@cache
def hot_tier() -> "HotTier | None":
    """Return the tier at HOT_TIER_URL, if there is one; HOT_TIER_CACHE names the ElastiCache that a role logs in to."""
    if not (url := _env("HOT_TIER_URL", "")):
        return None
    from boto3.session import Session

    from membus.adapters.valkey_hot import ValkeyHotTier, connect
    from membus.adapters.valkey_login import RoleLogin
    from membus.observability import logger

    def on_away(why: str) -> None:
        logger.warning("the hot tier is away, reads fall through", extra={"why": why})

    cache = _env("HOT_TIER_CACHE", "")
    login = RoleLogin(cache, Session()) if cache else None
    return ValkeyHotTier(lambda: connect(url, cluster=bool(cache), credentials=login), on_away)


def live_entities() -> "LiveEntities":
    from membus.hot_parts import NoTier

    return hot_tier() or NoTier()


@cache
def summaries() -> "SummaryStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_summaries import DynamoSummaries

    return DynamoSummaries(table(_env("CONVERSATIONS_TABLE")))


@cache
def remains() -> "Remains":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_remains import DynamoRemains

    return DynamoRemains(table(_env("CONVERSATIONS_TABLE")), contents())


@cache
def fresh() -> "FreshWords":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_fresh import DynamoFresh

    store, tier = DynamoFresh(table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.hot_parts import HotFreshWords

    return HotFreshWords(store, tier, now)


@cache
def contents() -> "ContentStore":
    from membus.adapters.aws import client
    from membus.adapters.s3_contents import S3Contents

    return S3Contents(partial(client, "s3"), _env("ARCHIVE_BUCKET"))


@cache
def states() -> "StateStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_states import DynamoStates

    return DynamoStates(table(_env("MEMORY_TABLE")), contents(), now)


def state_lifetime() -> timedelta:
    """Return how long a state lives where its writer does not say."""
    return timedelta(days=int(_env("STATE_LIFETIME_DAYS")))


@cache
def bus() -> "EventBus":
    from membus.adapters.aws import client
    from membus.adapters.eventbridge_bus import EventBridgeBus

    return EventBridgeBus(client("events"), _env("BUS_NAME"))


@cache
def quarantine() -> "Quarantine":
    from membus.adapters.aws import client
    from membus.adapters.sqs_quarantine import SqsQuarantine

    return SqsQuarantine(client("sqs"), _env("QUARANTINE_QUEUE_URL"))


@cache
def dead_letters() -> "Quarantine":
    from membus.adapters.aws import client
    from membus.adapters.sqs_quarantine import SqsQuarantine

    return SqsQuarantine(client("sqs"), _env("DEAD_LETTER_QUEUE_URL"))


@cache
def idempotency() -> "DynamoDBPersistenceLayer":
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    from membus.adapters.aws import client

    return DynamoDBPersistenceLayer(_env("IDEMPOTENCY_TABLE"), boto3_client=client("dynamodb"))


@cache
def source_queue() -> "SourceQueue":
    from membus.adapters.aws import client
    from membus.adapters.sqs_source import SqsSource

    return SqsSource(client("sqs"), _env("SOURCE_QUEUE_URL"))


@cache
def sealer() -> "Sealer":
    from membus.adapters.aws import client
    from membus.adapters.kms_sealer import KmsSealer

    return KmsSealer(client("kms"), _env("CURSOR_KEY_ID"))


@contextmanager
def schema(*, patience_seconds: float) -> "Iterator[Schema]":
    """Open the schema as its owner and close the connection behind it."""
    from membus.adapters.postgres import connect
    from membus.adapters.postgres_schema import PostgresSchema
    from membus.adapters.secrets_manager import login

    owner = login(_env("POSTGRES_OWNER_SECRET_ID"))
    with connect(postgres_address(), owner, patience_seconds=patience_seconds) as connection:
        yield PostgresSchema(connection)


def postgres_address() -> "Address":
    from membus.adapters.postgres import Address

    return Address(
        host=_env("POSTGRES_HOST"),
        port=int(_env("POSTGRES_PORT")),
        database=_env("POSTGRES_DATABASE"),
        sslmode=_env("POSTGRES_SSLMODE", "require"),
    )


def functions_login() -> "Login":
    """Return what the functions log in to Postgres with."""
    from membus.adapters.secrets_manager import login

    return login(_env("POSTGRES_APP_SECRET_ID"))
