"""What only operators' commands compose.

It writes what no function may, with the operator's own permissions.
"""

from typing import TYPE_CHECKING

from membus.wiring import _env, now
from membus.wiring_cold import OBJECT_SECONDS, objects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from membus.episodes.archive.model import ArchiveObject
    from membus.events.ports import HistoricalEventBus
    from scripts.erasure.dynamodb import DynamoUsers
    from scripts.erasure.stale_summaries import StaleSummaries
    from scripts.ports import FactRebuilder, UserDirectory
    from scripts.reextraction.dynamodb import DynamoTrials
    from scripts.tier.dynamodb import DynamoRecordedEvents
    from scripts.tier.s3 import S3ArchiveVersions
    from scripts.transfer.ports import RestoredConversations


def users() -> "DynamoUsers":
    from membus.aws.clients import dynamodb_table
    from scripts.erasure.dynamodb import DynamoUsers

    return DynamoUsers(dynamodb_table(_env("MEMORY_TABLE"), read_timeout_seconds=10), "user_pk")


def users_by_store() -> "Mapping[str, UserDirectory]":
    """Return by name each store that may be restored without the others, and names users."""
    from membus.aws.clients import dynamodb_table
    from membus.wiring_search import _transactions
    from scripts.erasure.dynamodb import DynamoUsers
    from scripts.erasure.postgres import PostgresUsers

    talks = dynamodb_table(_env("CONVERSATIONS_TABLE"), read_timeout_seconds=10)
    return {
        "memory": users(),
        "conversations": DynamoUsers(talks, "status_pk"),
        "index": PostgresUsers(_transactions()),
    }


def stale_summaries() -> "StaleSummaries":
    from membus.aws.clients import dynamodb_table
    from membus.wiring_search import _transactions
    from scripts.erasure.stale_summaries import StaleSummaries

    return StaleSummaries(
        _transactions(), dynamodb_table(_env("CONVERSATIONS_TABLE"), read_timeout_seconds=10)
    )


def shadows() -> "DynamoTrials":
    from membus.aws.clients import dynamodb_table
    from scripts.reextraction.dynamodb import DynamoTrials

    return DynamoTrials(dynamodb_table(_env("TENANTS_TABLE")))


def fact_rebuild() -> "FactRebuilder":
    from membus.aws.clients import dynamodb_table
    from scripts.reextraction.dynamodb import DynamoFactRebuilder

    return DynamoFactRebuilder(dynamodb_table(_env("MEMORY_TABLE")))


def recorded() -> "DynamoRecordedEvents":
    from membus.aws.clients import dynamodb_table
    from scripts.tier.dynamodb import DynamoRecordedEvents

    return DynamoRecordedEvents(dynamodb_table(_env("MEMORY_TABLE"), read_timeout_seconds=10))


def cold_versions() -> "S3ArchiveVersions":
    from membus.aws.clients import aws_client
    from scripts.tier.s3 import S3ArchiveVersions

    return S3ArchiveVersions(aws_client("s3", read_timeout_seconds=OBJECT_SECONDS), _env("ARCHIVE_BUCKET"))


def event_ids(kept: "ArchiveObject") -> "dict[date, set[str]]":
    """Return the ids of the events that an object holds, by day."""
    from collections import defaultdict

    from membus.core.clock import EARLIEST, LATEST
    from membus.episodes.model import EpisodeQuery

    everything = EpisodeQuery(tenant=kept.tenant, agent=kept.agent, start=EARLIEST, end=LATEST)
    found: dict[date, set[str]] = defaultdict(set)
    for row in objects().read_rows(kept, everything, after="", limit=kept.rows):
        found[row.occurred_at.date()].add(row.event_id)
    return found


def history() -> "HistoricalEventBus":
    from membus.aws.clients import aws_client
    from membus.events.eventbridge import EventBridgeBus

    return EventBridgeBus(aws_client("events"), _env("BUS_NAME"))


def restored_conversations() -> "RestoredConversations":
    from membus.aws.clients import dynamodb_table
    from scripts.transfer.dynamodb import DynamoRestoredConversations

    return DynamoRestoredConversations(dynamodb_table(_env("CONVERSATIONS_TABLE")), now)


def carry_over(tenant: str, *, live_table: str) -> "Mapping[str, int]":
    """Bring the catalog and the ids of erased events from the table that was in use into the restored one."""
    from membus.aws.clients import dynamodb_table
    from scripts.erasure.restored_tables import carry_over_erasures as carry

    live, restored = (
        dynamodb_table(name, read_timeout_seconds=10) for name in (live_table, _env("MEMORY_TABLE"))
    )
    return carry(tenant, live=live, restored=restored)
