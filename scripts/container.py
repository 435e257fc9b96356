"""The parts that only operators' commands need, beside those of the deployed functions.

They write what no function may, with the operator's own permissions.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from membus.aws.clients import aws_client, dynamodb_table
from membus.aws.dynamodb.keys import event_pk
from membus.container import Container
from membus.container.episodes import OBJECT_SECONDS
from membus.core.clock import EARLIEST, LATEST
from membus.core.erasure import ErasableStore
from membus.core.identity import Owner
from membus.episodes.archive.model import ArchiveObject
from membus.episodes.model import EpisodeQuery
from membus.erasure.sqs import DeadLetterEraser, is_about_tenant
from membus.events.eventbridge import EventBridgeBus
from membus.events.ports import HistoricalEventBus
from membus.facts.dynamodb_rebuild import DynamoFactRebuilder
from scripts.erasure.dynamodb import DynamoUsers, carry_over_erasures
from scripts.erasure.ports import UserDirectory
from scripts.reextraction.dynamodb import DynamoTrials
from scripts.tier.dynamodb import DynamoRecordedEvents
from scripts.transfer.dynamodb import DynamoRestoredConversations
from scripts.transfer.ports import RestoredConversations

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from scripts.erasure.stale_summaries import StaleSummaries
    from scripts.tier.s3 import S3ArchiveVersions

READ_SECONDS = 10
"""A scan of a whole table may wait longer than a request."""


class OperatorContainer(Container):
    @property
    def users(self) -> DynamoUsers:
        return DynamoUsers(self._slow_table("MEMORY_TABLE"), "user_pk")

    @property
    def users_by_store(self) -> Mapping[str, UserDirectory]:
        """The users in each store that may be restored without the others, by name of the store."""
        from scripts.erasure.postgres import PostgresUsers

        return {
            "memory": self.users,
            "conversations": DynamoUsers(self._slow_table("CONVERSATIONS_TABLE"), "status_pk"),
            "index": PostgresUsers(self.postgres.transactions),
        }

    @property
    def stale_summaries(self) -> "StaleSummaries":
        from scripts.erasure.stale_summaries import StaleSummaries

        return StaleSummaries(self.postgres.transactions, self._slow_table("CONVERSATIONS_TABLE"))

    @property
    def extract_model(self) -> str:
        """The model that the deployed extractor asks first."""
        return self.settings.get_text("EXTRACT_MODEL_ID")

    @property
    def trials(self) -> DynamoTrials:
        return DynamoTrials(self.tenants_table)

    @property
    def fact_rebuilder(self) -> DynamoFactRebuilder:
        return DynamoFactRebuilder(self.memory_table)

    @property
    def recorded_events(self) -> DynamoRecordedEvents:
        return DynamoRecordedEvents(self._slow_table("MEMORY_TABLE"))

    @property
    def archive_versions(self) -> "S3ArchiveVersions":
        from scripts.tier.s3 import S3ArchiveVersions

        client = aws_client("s3", read_timeout_seconds=OBJECT_SECONDS)
        return S3ArchiveVersions(client, self.settings.get_text("ARCHIVE_BUCKET"))

    @property
    def historical_bus(self) -> HistoricalEventBus:
        return EventBridgeBus(aws_client("events"), self.settings.get_text("BUS_NAME"))

    @property
    def restored_conversations(self) -> RestoredConversations:
        return DynamoRestoredConversations(self.conversations_table, self.clock)

    def list_event_ids(self, kept: ArchiveObject) -> dict[date, set[str]]:
        """Return the partition keys of the identities of the events that an object holds, by day."""
        everything = EpisodeQuery(tenant=kept.tenant, agent=kept.agent, start=EARLIEST, end=LATEST)
        found: dict[date, set[str]] = defaultdict(set)
        for row in self.episodes.objects.read_rows(kept, everything, after="", limit=kept.rows):
            owner = Owner(tenant=kept.tenant, user=row.user_id)
            found[row.occurred_at.date()].add(event_pk(owner, row.event_id))
        return found

    def carry_over_erasures(self, tenant: str, *, live_table: str) -> Mapping[str, int]:
        """Copy the catalog and the ids of erased events from the table in use until now to the restored one."""
        live = dynamodb_table(live_table, read_timeout_seconds=READ_SECONDS)
        return carry_over_erasures(tenant, live=live, restored=self._slow_table("MEMORY_TABLE"))

    def list_tenant_stores(self) -> Sequence[ErasableStore]:
        """Return every store that holds data of a whole tenant, in the order in which they are erased."""
        from scripts.erasure.tenant_stores import TenantItemEraser, TenantObjectEraser, TenantRowEraser

        return (
            TenantItemEraser(self._slow_table("CONVERSATIONS_TABLE"), "conversations"),
            TenantItemEraser(self._slow_table("MEMORY_TABLE"), "memory"),
            TenantItemEraser(
                self._slow_table("TENANTS_TABLE"),
                "tenant",
                keeps=lambda pk: pk.endswith(("#USAGE", "#ERASED", "#JOB")),
            ),
            TenantObjectEraser(self.erasure.object_versions),
            TenantRowEraser(self.postgres.transactions),
            DeadLetterEraser(aws_client("sqs"), self.erasure.dead_letter_queues, is_about_tenant),
        )

    def _slow_table(self, variable: str) -> "Table":
        return self.open_table(variable, read_timeout_seconds=READ_SECONDS)
