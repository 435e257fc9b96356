"""What only operators' commands compose.

It writes what no function may, with the operator's own permissions.
"""

from typing import TYPE_CHECKING

from membus.wiring import _env, now
from membus.wiring_cold import OBJECT_SECONDS, objects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from membus.adapters.dynamo_recorded import DynamoRecordedEvents
    from membus.adapters.dynamo_shadows import DynamoTrials
    from membus.adapters.dynamo_users import DynamoUsers
    from membus.adapters.s3_cold_versions import S3ArchiveVersions
    from membus.adapters.stale_summaries import StaleSummaries
    from membus.domain.cold import ArchiveObject
    from membus.ports.events import HistoricalEventBus
    from membus.ports.rebuilding import FactRebuilder
    from membus.ports.restoring import RestoredConversations
    from membus.ports.users import UserDirectory


def users() -> "DynamoUsers":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_users import DynamoUsers

    return DynamoUsers(dynamodb_table(_env("MEMORY_TABLE"), read_timeout_seconds=10), "user_pk")


def users_by_store() -> "Mapping[str, UserDirectory]":
    """Return by name each store that may be restored without the others, and names users."""
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_users import DynamoUsers
    from membus.adapters.postgres_users import PostgresUsers
    from membus.wiring_search import _transactions

    talks = dynamodb_table(_env("CONVERSATIONS_TABLE"), read_timeout_seconds=10)
    return {
        "memory": users(),
        "conversations": DynamoUsers(talks, "status_pk"),
        "index": PostgresUsers(_transactions()),
    }


def stale_summaries() -> "StaleSummaries":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.stale_summaries import StaleSummaries
    from membus.wiring_search import _transactions

    return StaleSummaries(
        _transactions(), dynamodb_table(_env("CONVERSATIONS_TABLE"), read_timeout_seconds=10)
    )


def shadows() -> "DynamoTrials":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_shadows import DynamoTrials

    return DynamoTrials(dynamodb_table(_env("TENANTS_TABLE")))


def fact_rebuild() -> "FactRebuilder":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_fact_rebuild import DynamoFactRebuilder

    return DynamoFactRebuilder(dynamodb_table(_env("MEMORY_TABLE")))


def recorded() -> "DynamoRecordedEvents":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_recorded import DynamoRecordedEvents

    return DynamoRecordedEvents(dynamodb_table(_env("MEMORY_TABLE"), read_timeout_seconds=10))


def cold_versions() -> "S3ArchiveVersions":
    from membus.adapters.aws import aws_client
    from membus.adapters.s3_cold_versions import S3ArchiveVersions

    return S3ArchiveVersions(aws_client("s3", read_timeout_seconds=OBJECT_SECONDS), _env("ARCHIVE_BUCKET"))


def event_ids(kept: "ArchiveObject") -> "dict[date, set[str]]":
    """Return the ids of the events that an object holds, by day."""
    from collections import defaultdict

    from membus.domain.episode import EpisodeQuery
    from membus.domain.event import EARLIEST, LATEST

    everything = EpisodeQuery(tenant=kept.tenant, agent=kept.agent, start=EARLIEST, end=LATEST)
    found: dict[date, set[str]] = defaultdict(set)
    for row in objects().rows(kept, everything, after="", limit=kept.rows):
        found[row.occurred_at.date()].add(row.event_id)
    return found


def history() -> "HistoricalEventBus":
    from membus.adapters.aws import aws_client
    from membus.adapters.eventbridge_bus import EventBridgeBus

    return EventBridgeBus(aws_client("events"), _env("BUS_NAME"))


def restored_conversations() -> "RestoredConversations":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_restoring import DynamoRestoredConversations

    return DynamoRestoredConversations(dynamodb_table(_env("CONVERSATIONS_TABLE")), now)


def carry_over(tenant: str, *, live_table: str) -> "Mapping[str, int]":
    """Bring the catalog and the ids of erased events from the table that was in use into the restored one."""
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.erasing_restores import carry_over_erasures as carry

    live, restored = (
        dynamodb_table(name, read_timeout_seconds=10) for name in (live_table, _env("MEMORY_TABLE"))
    )
    return carry(tenant, live=live, restored=restored)
