"""Everything a user can leave behind, over a strict AWS in this process, and the job that erases it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3

from functions.erase.usecase import Eraser
from functions.memory.erasure import erase_user
from membus.adapters.dynamo_answers import DynamoAnswers
from membus.adapters.dynamo_conversations import DynamoConversations
from membus.adapters.dynamo_documents import DynamoDocuments
from membus.adapters.dynamo_facts import DynamoFacts
from membus.adapters.dynamo_held_facts import DynamoHeldFacts
from membus.adapters.dynamo_remains import DynamoRemains
from membus.adapters.dynamo_states import DynamoStates
from membus.adapters.dynamo_summaries import DynamoSummaries
from membus.adapters.erasing_cold import ColdRows
from membus.adapters.erasing_conversations import UserConversations
from membus.adapters.erasing_episodes import UserEpisodes
from membus.adapters.erasing_items import UserItems
from membus.adapters.erasing_traces import EventTraces
from membus.adapters.s3_contents import S3Contents
from membus.adapters.s3_erasing import archives, document_texts, large_texts
from membus.adapters.s3_versions import S3Versions
from membus.adapters.sqs_erasing import EndedMessages
from membus.domain.identity import Owner
from membus.domain.job import Job
from membus.ports.erasures import Holdings
from tests.archiving import BUCKET, Tiers, rows_of, tiers
from tests.fakes.bus import InMemoryBus
from tests.fakes.hot_tier import InMemoryHotTier
from tests.tables import make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_sqs import SQSClient

SETTLE = timedelta(minutes=18)
KEPT_DAYS = {"bus_archive": 30, "table_backups": 7}


@dataclass
class House:
    """Every store but Postgres, whose own tests are `tests/contract/search`."""

    tiers: Tiers
    talks: "Table"
    sqs: "SQSClient"
    dead_letters: str
    bus: InMemoryBus = field(default_factory=InMemoryBus)
    hot: InMemoryHotTier = field(default_factory=InMemoryHotTier)

    def __post_init__(self) -> None:
        self.memory, self.s3, self.erasures = self.tiers.table, self.tiers.s3, self.tiers.erasures
        self.contents = S3Contents(lambda: self.s3, BUCKET)
        self.facts, self.answers = DynamoFacts(self.memory), DynamoAnswers(self.memory)
        self.held_facts = DynamoHeldFacts(self.memory, self.clock)
        self.documents = DynamoDocuments(self.memory, self.contents, self.clock)
        self.states = DynamoStates(self.memory, self.contents, self.clock)
        self.conversations = DynamoConversations(self.talks, self.clock)
        self.summaries = DynamoSummaries(self.talks)
        self.versions = S3Versions(lambda: self.s3, BUCKET)

    def clock(self) -> datetime:
        return self.tiers.now

    def stores(self) -> Sequence[Holdings]:
        traces = EventTraces(self.memory, self.versions, self.clock() + timedelta(days=31))
        archiver = self.tiers.archiver
        return (
            UserItems(self.memory, "memory", traces),
            UserConversations(
                self.talks,
                self.conversations,
                DynamoRemains(self.talks, self.contents),
                self.versions,
                self.hot,
            ),
            UserItems(self.talks, "fresh_words"),
            UserEpisodes(self.memory, traces, self.versions),
            ColdRows(archiver.catalog, archiver.objects, self.versions, traces),
            large_texts(self.versions),
            document_texts(self.versions),
            archives(self.versions),
            EndedMessages(self.sqs, {"extract-dlq": self.dead_letters}),
        )

    def ask(self, owner: Owner, *, key: str | None = None) -> Job:
        return erase_user(
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
            settle=SETTLE,
            kept_days=KEPT_DAYS,
        )

    def advance(self, job: Job) -> timedelta | None:
        return self.eraser(lambda: 300).advance(self.erasures.job(job.tenant, job.job_id))

    def finish(self, job: Job) -> Job:
        """Let time pass and the queue bring the job back until nothing is left to do."""
        while (wait := self.advance(job)) is not None:
            self.tiers.now += wait
        return self.erasures.job(job.tenant, job.job_id)

    def erase(self, owner: Owner) -> Job:
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
        return [each for page in self.versions.pages("") for each in page if not each.mark]

    def _body(self, version: Any) -> str:
        body = self.versions.body(version) or b""
        if not version.key.endswith(".parquet"):
            return body.decode()
        return "\n".join(row.model_dump_json() for row in rows_of(body))


@contextmanager
def house() -> Iterator[House]:
    with tiers() as made:
        made.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        sqs = boto3.client("sqs", region_name="us-east-1")
        queue = sqs.create_queue(QueueName="membus-test-extract-dlq")["QueueUrl"]
        yield House(made, make_table("conversations"), sqs, queue)
