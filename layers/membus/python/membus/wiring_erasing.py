"""The composition of erasure.

The ledger that every writer asks, and, for the one function that erases, every store.
"""

import json
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from membus.wiring import _env, now
from membus.wiring_cold import OBJECT_SECONDS
from membus.wiring_conversations import conversations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from membus.aws.s3 import S3ObjectVersions
    from membus.core.erasure import ErasableStore
    from membus.erasure.guard import ErasureGuard
    from membus.erasure.ports import ErasureJobs, ErasureLedger
    from membus.events.ports import DelayQueue

ENDS = "ENDED_QUEUE_URLS"


@cache
def gate() -> "ErasureGuard":
    """Return the gate of a process that writes; it hears of an erasure within a minute."""
    from membus.erasure.guard import CachedErasures, ErasureGuard

    return ErasureGuard(CachedErasures(erasures(), now))


@cache
def erasures() -> "ErasureLedger":
    from membus.aws.clients import dynamodb_table
    from membus.erasure.dynamodb import DynamoErasures

    return DynamoErasures(dynamodb_table(_env("TENANTS_TABLE")))


@cache
def jobs() -> "ErasureJobs":
    from membus.aws.clients import dynamodb_table
    from membus.erasure.dynamodb import DynamoErasures

    return DynamoErasures(dynamodb_table(_env("TENANTS_TABLE")))


def settle() -> timedelta:
    return timedelta(seconds=int(_env("ERASURE_SETTLE_SECONDS")))


def kept_days() -> "Mapping[str, int]":
    """Return by name for how many days copies are kept that no query reaches."""
    kept: dict[str, int] = json.loads(_env("COPIES_KEPT_DAYS"))
    return kept


@cache
def own_queue() -> "DelayQueue":
    from membus.aws.clients import aws_client
    from membus.events.sqs import SqsSourceQueue

    return SqsSourceQueue(aws_client("sqs"), _env("SOURCE_QUEUE_URL"))


def holdings() -> "Sequence[ErasableStore]":
    """Return every store that holds users' data, in the order in which they are erased.

    What points to others comes before them where it is found by them, and the queues first: what they hold
    must not be delivered anew.
    """
    from membus.aws.clients import aws_client, dynamodb_table
    from membus.aws.s3 import S3ObjectVersions
    from membus.episodes.archive.erasure import ArchiveEraser
    from membus.episodes.erasure import EpisodeEraser, EventEraser
    from membus.erasure.s3 import document_text_eraser, export_eraser, large_text_eraser
    from membus.erasure.sqs import DeadLetterEraser
    from membus.erasure.user_partition import UserItemEraser
    from membus.search.erasure import IndexEraser
    from membus.wiring_cold import catalog, objects
    from membus.wiring_search import _transactions

    memory, talks = dynamodb_table(_env("MEMORY_TABLE")), dynamodb_table(_env("CONVERSATIONS_TABLE"))
    versions = S3ObjectVersions(
        partial(aws_client, "s3", read_timeout_seconds=OBJECT_SECONDS), _env("ARCHIVE_BUCKET")
    )
    traces = EventEraser(memory, versions, now() + timedelta(days=1 + max(kept_days().values())))
    return (
        UserItemEraser(memory, "memory", traces),
        _talks(versions),
        UserItemEraser(talks, "fresh_words"),
        EpisodeEraser(memory, traces, versions),
        ArchiveEraser(catalog(), objects(), versions, traces),
        large_text_eraser(versions),
        document_text_eraser(versions),
        export_eraser(versions),
        IndexEraser(_transactions()),
        DeadLetterEraser(aws_client("sqs"), json.loads(_env(ENDS))),
    )


def tenant_holdings() -> "Sequence[ErasableStore]":
    """Return every store with all that a tenant has there.

    What an operator's command erases, with their own rights.
    """
    from membus.aws.clients import aws_client, dynamodb_table
    from membus.aws.s3 import S3ObjectVersions
    from membus.erasure.sqs import DeadLetterEraser, is_about_tenant
    from membus.wiring_search import _transactions
    from scripts.erasure.tenant_stores import TenantItemEraser, TenantObjectEraser, TenantRowEraser

    versions = S3ObjectVersions(
        partial(aws_client, "s3", read_timeout_seconds=OBJECT_SECONDS), _env("ARCHIVE_BUCKET")
    )
    return (
        TenantItemEraser(
            dynamodb_table(_env("CONVERSATIONS_TABLE"), read_timeout_seconds=10), "conversations"
        ),
        TenantItemEraser(dynamodb_table(_env("MEMORY_TABLE"), read_timeout_seconds=10), "memory"),
        TenantItemEraser(
            dynamodb_table(_env("TENANTS_TABLE"), read_timeout_seconds=10),
            "tenant",
            keeps=lambda pk: pk.endswith(("#USAGE", "#ERASED", "#JOB")),
        ),
        TenantObjectEraser(versions),
        TenantRowEraser(_transactions()),
        DeadLetterEraser(aws_client("sqs"), json.loads(_env(ENDS)), is_about_tenant),
    )


def _talks(versions: "S3ObjectVersions") -> "ErasableStore":
    from membus.aws.clients import dynamodb_table
    from membus.conversations.cache import CachingConversations
    from membus.conversations.dynamodb import DynamoConversations
    from membus.conversations.erasure import ConversationEraser
    from membus.wiring_conversations import remains

    talks, store = dynamodb_table(_env("CONVERSATIONS_TABLE")), conversations()
    tier = store.tier if isinstance(store, CachingConversations) else None
    return ConversationEraser(talks, DynamoConversations(talks, now), remains(), versions, tier)
