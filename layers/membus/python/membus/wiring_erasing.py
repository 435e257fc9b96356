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

    from membus.adapters.s3_versions import S3Versions
    from membus.erasing import Gate
    from membus.ports.erasures import ErasureLedger, Holdings, Jobs
    from membus.ports.events import OwnQueue

ENDS = "ENDED_QUEUE_URLS"


@cache
def gate() -> "Gate":
    """Return the gate of a process that writes; it hears of an erasure within a minute."""
    from membus.erasing import Gate, HeardErasures

    return Gate(HeardErasures(erasures(), now))


@cache
def erasures() -> "ErasureLedger":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_erasures import DynamoErasures

    return DynamoErasures(table(_env("TENANTS_TABLE")))


@cache
def jobs() -> "Jobs":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_erasures import DynamoErasures

    return DynamoErasures(table(_env("TENANTS_TABLE")))


def settle() -> timedelta:
    return timedelta(seconds=int(_env("ERASURE_SETTLE_SECONDS")))


def kept_days() -> "Mapping[str, int]":
    """Return by name for how many days copies are kept that no query reaches."""
    kept: dict[str, int] = json.loads(_env("COPIES_KEPT_DAYS"))
    return kept


@cache
def own_queue() -> "OwnQueue":
    from membus.adapters.aws import client
    from membus.adapters.sqs_source import SqsSource

    return SqsSource(client("sqs"), _env("SOURCE_QUEUE_URL"))


def holdings() -> "Sequence[Holdings]":
    """Return every store that holds users' data, in the order in which they are erased.

    What points to others comes before them where it is found by them, and the queues first: what they hold
    must not be delivered anew.
    """
    from membus.adapters.aws import client, table
    from membus.adapters.erasing_cold import ColdRows
    from membus.adapters.erasing_episodes import UserEpisodes
    from membus.adapters.erasing_items import UserItems
    from membus.adapters.erasing_traces import EventTraces
    from membus.adapters.postgres_erasing import IndexedRows
    from membus.adapters.s3_erasing import archives, document_texts, large_texts
    from membus.adapters.s3_versions import S3Versions
    from membus.adapters.sqs_erasing import EndedMessages
    from membus.wiring_cold import catalog, objects
    from membus.wiring_search import _transactions

    memory, talks = table(_env("MEMORY_TABLE")), table(_env("CONVERSATIONS_TABLE"))
    versions = S3Versions(partial(client, "s3", read_timeout_seconds=OBJECT_SECONDS), _env("ARCHIVE_BUCKET"))
    traces = EventTraces(memory, versions, now() + timedelta(days=1 + max(kept_days().values())))
    return (
        UserItems(memory, "memory", traces),
        _talks(versions),
        UserItems(talks, "fresh_words"),
        UserEpisodes(memory, traces, versions),
        ColdRows(catalog(), objects(), versions, traces),
        large_texts(versions),
        document_texts(versions),
        archives(versions),
        IndexedRows(_transactions()),
        EndedMessages(client("sqs"), json.loads(_env(ENDS))),
    )


def tenant_holdings() -> "Sequence[Holdings]":
    """Return every store with all that a tenant has there.

    What an operator's command erases, with their own rights.
    """
    from membus.adapters.aws import client, table
    from membus.adapters.erasing_tenants import TenantItems, TenantObjects, TenantRows
    from membus.adapters.s3_versions import S3Versions
    from membus.adapters.sqs_erasing import EndedMessages, of_tenant
    from membus.wiring_search import _transactions

    versions = S3Versions(partial(client, "s3", read_timeout_seconds=OBJECT_SECONDS), _env("ARCHIVE_BUCKET"))
    return (
        TenantItems(table(_env("CONVERSATIONS_TABLE"), read_timeout_seconds=10), "conversations"),
        TenantItems(table(_env("MEMORY_TABLE"), read_timeout_seconds=10), "memory"),
        TenantItems(
            table(_env("TENANTS_TABLE"), read_timeout_seconds=10),
            "tenant",
            keeps=lambda pk: pk.endswith(("#USAGE", "#ERASED", "#JOB")),
        ),
        TenantObjects(versions),
        TenantRows(_transactions()),
        EndedMessages(client("sqs"), json.loads(_env(ENDS)), of_tenant),
    )


def _talks(versions: "S3Versions") -> "Holdings":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_conversations import DynamoConversations
    from membus.adapters.erasing_conversations import UserConversations
    from membus.hot import HotConversations
    from membus.wiring_conversations import remains

    talks, store = table(_env("CONVERSATIONS_TABLE")), conversations()
    tier = store.tier if isinstance(store, HotConversations) else None
    return UserConversations(talks, DynamoConversations(talks, now), remains(), versions, tier)
