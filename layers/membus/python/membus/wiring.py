"""The composition root: reads the environment once, lazily, and names the variable that is missing."""

import json
import os
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

import membus.aws.clients  # noqa: F401 - every function needs boto3; while Lambda starts it, it loads at full speed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    from membus.core.blobs import BlobStore
    from membus.core.pages import CursorSigner
    from membus.episodes.ports import EpisodeReader, EpisodeStore, EventTraceReader
    from membus.events.ports import EventBus, PoisonMessageQueue, SourceQueue
    from membus.facts.ports import AnswerStore, FactStore, ReviewQueue, SignalStore
    from membus.states.ports import StateStore
    from membus.tenants.api_keys import ApiKeyStore

SECRET_SECONDS = 300
"""How long a rotated secret may stay in use in a warm function."""


def _env(name: str, default: str | None = None) -> str:
    """Return the variable `name`.

    An unset or empty one without a default is a deployment error, said by name.
    """
    value = os.environ.get(name) or default
    if value is None:
        raise RuntimeError(f"the environment variable {name} is not set")
    return value


def environment() -> str:
    return _env("ENVIRONMENT")


@cache
def api_keys() -> "ApiKeyStore":
    """The authorizer has five seconds in all, so it tries twice and briefly, then fails closed."""
    from membus.aws.clients import dynamodb_table
    from membus.tenants.dynamodb_api_keys import DynamoApiKeys

    return DynamoApiKeys(dynamodb_table(_env("TENANTS_TABLE"), attempts=2, read_timeout_seconds=1))


@cache
def route_scopes() -> "Mapping[str, str]":
    """Return the scope each route asks for, as Terraform read it from the OpenAPI document."""
    scopes: dict[str, str] = json.loads(_env("ROUTE_SCOPES"))
    return scopes


def now() -> datetime:
    return datetime.now(UTC)


@cache
def facts() -> "FactStore":
    from membus.aws.clients import dynamodb_table
    from membus.facts.dynamodb import DynamoFacts

    return DynamoFacts(dynamodb_table(_env("MEMORY_TABLE")))


@cache
def held_facts() -> "ReviewQueue":
    from membus.aws.clients import dynamodb_table
    from membus.facts.dynamodb_review_queue import DynamoReviewQueue

    return DynamoReviewQueue(dynamodb_table(_env("MEMORY_TABLE")), now)


@cache
def episodes() -> "EpisodeStore":
    from membus.aws.clients import dynamodb_table
    from membus.episodes.dynamodb import DynamoEpisodes

    return DynamoEpisodes(dynamodb_table(_env("MEMORY_TABLE")), contents(), _episode_shards())


@cache
def hot_episodes() -> "EpisodeReader":
    from membus.aws.clients import dynamodb_table
    from membus.episodes.dynamodb import DynamoEpisodeReader

    return DynamoEpisodeReader(dynamodb_table(_env("MEMORY_TABLE")), contents(), now, _episode_shards())


def _episode_shards() -> int:
    """Return over how many partitions one day of one agent is spread; it may grow and must not shrink."""
    return int(_env("EPISODE_SHARDS"))


@cache
def traces() -> "EventTraceReader":
    from membus.aws.clients import dynamodb_table
    from membus.episodes.dynamodb import DynamoEventTraces

    return DynamoEventTraces(dynamodb_table(_env("MEMORY_TABLE")))


@cache
def answers() -> "AnswerStore":
    from membus.aws.clients import dynamodb_table
    from membus.facts.dynamodb import DynamoAnswers

    return DynamoAnswers(dynamodb_table(_env("MEMORY_TABLE")))


@cache
def signals() -> "SignalStore":
    from membus.aws.clients import dynamodb_table
    from membus.facts.dynamodb_signals import DynamoSignals

    return DynamoSignals(dynamodb_table(_env("MEMORY_TABLE")))


@cache
def contents() -> "BlobStore":
    from membus.aws.clients import aws_client
    from membus.aws.s3 import S3Blobs

    return S3Blobs(partial(aws_client, "s3"), _env("ARCHIVE_BUCKET"))


@cache
def states() -> "StateStore":
    from membus.aws.clients import dynamodb_table
    from membus.states.dynamodb import DynamoStates

    return DynamoStates(dynamodb_table(_env("MEMORY_TABLE")), contents(), now)


def state_lifetime() -> timedelta:
    """Return how long a state lives where its writer does not say."""
    return timedelta(days=int(_env("STATE_LIFETIME_DAYS")))


@cache
def bus() -> "EventBus":
    from membus.aws.clients import aws_client
    from membus.events.eventbridge import EventBridgeBus

    return EventBridgeBus(aws_client("events"), _env("BUS_NAME"))


@cache
def quarantine() -> "PoisonMessageQueue":
    from membus.aws.clients import aws_client
    from membus.events.sqs import SqsPoisonMessages

    return SqsPoisonMessages(aws_client("sqs"), _env("QUARANTINE_QUEUE_URL"))


@cache
def dead_letters() -> "PoisonMessageQueue":
    from membus.aws.clients import aws_client
    from membus.events.sqs import SqsPoisonMessages

    return SqsPoisonMessages(aws_client("sqs"), _env("DEAD_LETTER_QUEUE_URL"))


@cache
def idempotency() -> "DynamoDBPersistenceLayer":
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    from membus.aws.clients import aws_client

    return DynamoDBPersistenceLayer(_env("IDEMPOTENCY_TABLE"), boto3_client=aws_client("dynamodb"))


@cache
def source_queue() -> "SourceQueue":
    from membus.aws.clients import aws_client
    from membus.events.sqs import SqsSourceQueue

    return SqsSourceQueue(aws_client("sqs"), _env("SOURCE_QUEUE_URL"))


@cache
def sealer() -> "CursorSigner":
    from membus.aws.clients import aws_client
    from membus.aws.secrets import KmsCursorSigner

    return KmsCursorSigner(aws_client("kms"), _env("CURSOR_KEY_ID"))
