"""What only operators' commands compose.

It writes what no function may, with the operator's own permissions.
"""

from typing import TYPE_CHECKING

from membus.wiring import _env, now
from membus.wiring_cold import OBJECT_SECONDS, objects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from membus.adapters.dynamo_recorded import DynamoRecorded
    from membus.adapters.dynamo_shadows import DynamoShadows
    from membus.adapters.dynamo_users import DynamoUsers
    from membus.adapters.s3_cold_versions import S3ColdVersions
    from membus.adapters.stale_summaries import StaleSummaries
    from membus.domain.cold import ColdObject
    from membus.ports.events import EventHistory
    from membus.ports.rebuilding import FactRebuild
    from membus.ports.restoring import RestoredConversations
    from membus.ports.users import Users


def users() -> "DynamoUsers":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_users import DynamoUsers

    return DynamoUsers(table(_env("MEMORY_TABLE"), read_timeout_seconds=10), "user_pk")


def users_by_store() -> "Mapping[str, Users]":
    """Return by name each store that may be restored without the others, and names users."""
    from membus.adapters.aws import table
    from membus.adapters.dynamo_users import DynamoUsers
    from membus.adapters.postgres_users import PostgresUsers
    from membus.wiring_search import _transactions

    talks = table(_env("CONVERSATIONS_TABLE"), read_timeout_seconds=10)
    return {
        "memory": users(),
        "conversations": DynamoUsers(talks, "status_pk"),
        "index": PostgresUsers(_transactions()),
    }


def stale_summaries() -> "StaleSummaries":
    from membus.adapters.aws import table
    from membus.adapters.stale_summaries import StaleSummaries
    from membus.wiring_search import _transactions

    return StaleSummaries(_transactions(), table(_env("CONVERSATIONS_TABLE"), read_timeout_seconds=10))


def shadows() -> "DynamoShadows":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_shadows import DynamoShadows

    return DynamoShadows(table(_env("TENANTS_TABLE")))


def fact_rebuild() -> "FactRebuild":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_fact_rebuild import DynamoFactRebuild

    return DynamoFactRebuild(table(_env("MEMORY_TABLE")))


def recorded() -> "DynamoRecorded":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_recorded import DynamoRecorded

    return DynamoRecorded(table(_env("MEMORY_TABLE"), read_timeout_seconds=10))


def cold_versions() -> "S3ColdVersions":
    from membus.adapters.aws import client
    from membus.adapters.s3_cold_versions import S3ColdVersions

    return S3ColdVersions(client("s3", read_timeout_seconds=OBJECT_SECONDS), _env("ARCHIVE_BUCKET"))


def event_ids(kept: "ColdObject") -> "dict[date, set[str]]":
    """Return the ids of the events that an object holds, by day."""
    from collections import defaultdict

    from membus.domain.episode import EpisodeQuery
    from membus.domain.event import EARLIEST, LATEST

    everything = EpisodeQuery(tenant=kept.tenant, agent=kept.agent, start=EARLIEST, end=LATEST)
    found: dict[date, set[str]] = defaultdict(set)
    for row in objects().rows(kept, everything, after="", limit=kept.rows):
        found[row.occurred_at.date()].add(row.event_id)
    return found


def history() -> "EventHistory":
    from membus.adapters.aws import client
    from membus.adapters.eventbridge_bus import EventBridgeBus

    return EventBridgeBus(client("events"), _env("BUS_NAME"))


def restored_conversations() -> "RestoredConversations":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_restoring import DynamoRestoredConversations

    return DynamoRestoredConversations(table(_env("CONVERSATIONS_TABLE")), now)


def carry_over(tenant: str, *, live_table: str) -> "Mapping[str, int]":
    """Bring the catalog and the ids of erased events from the table that was in use into the restored one."""
    from membus.adapters.aws import table
    from membus.adapters.erasing_restores import carry_over as carry

    live, restored = (table(name, read_timeout_seconds=10) for name in (live_table, _env("MEMORY_TABLE")))
    return carry(tenant, live=live, restored=restored)
