"""Everything a user can leave behind, over a strict AWS in this process, and the job that erases it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3

from functions.erase.usecase import Eraser
from membus.aws.s3 import S3Blobs, S3ObjectVersions
from membus.conversations.dynamodb import DynamoConversations, DynamoDeletedConversationItems
from membus.conversations.dynamodb_summaries import DynamoSummaries
from membus.conversations.erasure import ConversationEraser
from membus.core.erasure import ErasableStore
from membus.core.identity import Owner
from membus.episodes.archive.erasure import ArchiveEraser
from membus.episodes.erasure import EpisodeEraser, EventEraser
from membus.erasure.model import ErasureJob
from membus.erasure.request import request_erasure
from membus.erasure.s3 import document_text_eraser, export_eraser, large_text_eraser
from membus.erasure.sqs import DeadLetterEraser
from membus.erasure.user_partition import UserItemEraser
from membus.facts.dynamodb import DynamoAnswers, DynamoFacts
from membus.facts.dynamodb_review_queue import DynamoReviewQueue
from membus.search.dynamodb import DynamoDocuments
from membus.states.dynamodb import DynamoStates
from tests.fakes.cache import InMemoryConversationCache
from tests.fakes.event_bus import InMemoryEventBus
from tests.support.archive_tiers import BUCKET, ArchiveSetup, make_archive_setup, rows_of
from tests.support.tables import make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_sqs import SQSClient

SETTLE = timedelta(minutes=18)
KEPT_DAYS = {"bus_archive": 30, "table_backups": 7}


@dataclass
class ErasureSetup:
    """Every store but Postgres, whose own tests are `tests/contract/search`."""

    tiers: ArchiveSetup
    talks: "Table"
    sqs: "SQSClient"
    dead_letters: str
    bus: InMemoryEventBus = field(default_factory=InMemoryEventBus)
    hot: InMemoryConversationCache = field(default_factory=InMemoryConversationCache)

    def __post_init__(self) -> None:
        self.memory, self.s3, self.erasures = self.tiers.table, self.tiers.s3, self.tiers.erasures
        self.tenants = self.tiers.tenants
        self.contents = S3Blobs(lambda: self.s3, BUCKET)
        self.facts, self.answers = DynamoFacts(self.memory), DynamoAnswers(self.memory)
        self.held_facts = DynamoReviewQueue(self.memory, self.clock)
        self.documents = DynamoDocuments(self.memory, self.contents, self.clock)
        self.states = DynamoStates(self.memory, self.contents, self.clock)
        self.conversations = DynamoConversations(self.talks, self.clock)
        self.summaries = DynamoSummaries(self.talks)
        self.versions = S3ObjectVersions(lambda: self.s3, BUCKET)

    def clock(self) -> datetime:
        return self.tiers.now

    def stores(self) -> Sequence[ErasableStore]:
        traces = EventEraser(self.memory, self.versions, self.clock() + timedelta(days=31))
        archiver = self.tiers.archiver
        return (
            UserItemEraser(self.memory, "memory", traces),
            ConversationEraser(
                self.talks,
                self.conversations,
                DynamoDeletedConversationItems(self.talks, self.contents),
                self.versions,
                self.hot,
            ),
            UserItemEraser(self.talks, "fresh_words"),
            EpisodeEraser(self.memory, traces, self.versions),
            ArchiveEraser(archiver.catalog, archiver.objects, self.versions, traces),
            large_text_eraser(self.versions),
            document_text_eraser(self.versions),
            export_eraser(self.versions),
            DeadLetterEraser(self.sqs, {"extract-dlq": self.dead_letters}, wait_seconds=0),
        )

    def ask(self, owner: Owner, *, key: str | None = None) -> ErasureJob:
        return request_erasure(
            owner,
            request_key=key,
            requested_by="k1",
            now=self.clock(),
            jobs=self.erasures,
            announcements=self.bus,
        )

    def eraser(self, seconds_left: Callable[[], float]) -> Eraser:
        return Eraser(
            jobs=self.erasures,
            stores=self.stores(),
            clock=self.clock,
            seconds_left=seconds_left,
            settle_time=SETTLE,
            kept_days=KEPT_DAYS,
        )

    def advance(self, job: ErasureJob) -> timedelta | None:
        return self.eraser(lambda: 300).advance_job(self.erasures.get_job(job.tenant, job.job_id))

    def finish(self, job: ErasureJob) -> ErasureJob:
        """Let time pass and the queue bring the job back until nothing is left to do."""
        while (wait := self.advance(job)) is not None:
            self.tiers.now += wait
        return self.erasures.get_job(job.tenant, job.job_id)

    def erase(self, owner: Owner) -> ErasureJob:
        return self.finish(self.ask(owner))

    def everything(self) -> str:
        """Return all that the tables, all versions of all objects and the queue hold, as one text."""
        items = [item for table in (self.memory, self.talks) for item in table.scan()["Items"]]
        told = [str(item) for item in items] + [self._body(each) for each in self.all_versions()]
        received: Any = self.sqs.receive_message(
            QueueUrl=self.dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return "\n".join([*told, *(each["Body"] for each in received.get("Messages", []))])

    def table_like(self, table: "Table") -> "Table":
        """Return a copy of a table under another name."""
        made: Any = boto3.resource("dynamodb", region_name="us-east-1").create_table(
            TableName=f"{table.name}-copy",
            KeySchema=table.key_schema,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        for item in table.scan()["Items"]:
            made.put_item(Item=item)
        copy: Table = made
        return copy

    def all_versions(self) -> list[Any]:
        return [each for page in self.versions.list_versions("") for each in page if not each.mark]

    def _body(self, version: Any) -> str:
        body = self.versions.read_body(version) or b""
        if not version.key.endswith(".parquet"):
            return body.decode()
        return "\n".join(row.model_dump_json() for row in rows_of(body))


@contextmanager
def make_erasure_setup() -> Iterator[ErasureSetup]:
    with make_archive_setup() as made:
        made.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        sqs = boto3.client("sqs", region_name="us-east-1")
        queue = sqs.create_queue(QueueName="membus-test-extract-dlq")["QueueUrl"]
        yield ErasureSetup(made, make_table("conversations"), sqs, queue)
