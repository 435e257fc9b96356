"""Each store three times.

In memory, as the adapter over a strict AWS in this process, and over the deployed stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest
from anthropic import Anthropic

from localstack import aws
from localstack.home import Stack
from membus.aws.s3 import S3Blobs
from membus.conversations.dynamodb import DynamoConversations, DynamoDeletedConversationItems
from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages
from membus.conversations.ports import ConversationStore, DeletedConversationItems, UnprocessedMessages
from membus.core.blobs import BlobStore
from membus.core.identity import Owner
from membus.episodes.dynamodb import DynamoEpisodeReader, DynamoEpisodes, DynamoEventTraces
from membus.episodes.ports import EpisodeReader, EpisodeStore, EventTraceReader
from membus.facts.dynamodb import DynamoAnswers, DynamoFacts
from membus.facts.dynamodb_review_queue import DynamoReviewQueue
from membus.facts.dynamodb_signals import DynamoSignals
from membus.facts.ports import AnswerStore, FactStore, ReviewQueue, SignalStore
from membus.llm.clients import StructuredModel
from membus.states.dynamodb import DynamoStates
from membus.states.ports import StateStore
from scripts.reextraction.signals import InMemorySignals
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.deleted_conversations import InMemoryDeletedConversationItems
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.facts import InMemoryFacts
from tests.fakes.review_queue import InMemoryReviewQueue
from tests.fakes.states import InMemoryStates
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages
from tests.strict import strict_aws
from tests.support.language_models import ScriptedWire, model_with_retries
from tests.support.tables import make_bucket, make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

SHARDS = 3
EVERYWHERE = ["fake", "strict", pytest.param("stack", marks=pytest.mark.stack)]


@dataclass(frozen=True)
class Memory:
    """The stores that share the table `memory`."""

    facts: FactStore
    episodes: EpisodeStore
    signals: SignalStore
    reader: EpisodeReader
    traces: EventTraceReader
    answers: AnswerStore


@dataclass(frozen=True)
class Talks:
    """The stores that share the table `conversations`."""

    conversations: ConversationStore
    remains: DeletedConversationItems
    table: "Table | None" = None


def stack_table(stack: Stack, name: str) -> "Table":
    return aws.session().resource("dynamodb", endpoint_url=stack.endpoint_url).Table(name)


def stack_contents(stack: Stack) -> S3Blobs:
    return S3Blobs(lambda: aws.session().client("s3", endpoint_url=stack.endpoint_url), stack.bucket)


@pytest.fixture
def owner() -> Owner:
    """Return a user of a tenant that no other test has: the deployed tables are shared."""
    return Owner(tenant=f"t{uuid4().hex[:12]}", user="user1")


@pytest.fixture(params=EVERYWHERE)
def memory(request: pytest.FixtureRequest) -> Iterator[Memory]:
    if request.param == "fake":
        episodes = InMemoryEpisodes()
        yield Memory(InMemoryFacts(episodes), episodes, InMemorySignals(), episodes, episodes, episodes)
    elif request.param == "strict":
        with strict_aws():
            yield _memory_on(make_table("memory"), make_bucket())
    else:
        stack: Stack = request.getfixturevalue("stack")
        yield _memory_on(stack_table(stack, stack.tables.memory), stack_contents(stack))


@pytest.fixture
def facts(memory: Memory) -> FactStore:
    return memory.facts


@pytest.fixture
def answers(memory: Memory) -> AnswerStore:
    return memory.answers


@pytest.fixture
def episodes(memory: Memory) -> EpisodeStore:
    return memory.episodes


@pytest.fixture
def reader(memory: Memory) -> EpisodeReader:
    return memory.reader


@pytest.fixture
def traces(memory: Memory) -> EventTraceReader:
    return memory.traces


@pytest.fixture
def signals(memory: Memory) -> SignalStore:
    return memory.signals


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(params=EVERYWHERE)
def talks(request: pytest.FixtureRequest, clock: StoppedClock) -> Iterator[Talks]:
    if request.param == "fake":
        kept = InMemoryConversations(clock)
        yield Talks(kept, InMemoryDeletedConversationItems(kept))
    elif request.param == "strict":
        with strict_aws():
            yield _talks_on(make_table("conversations"), make_bucket(), clock)
    else:
        stack: Stack = request.getfixturevalue("stack")
        yield _talks_on(stack_table(stack, stack.tables.conversations), stack_contents(stack), clock)


@pytest.fixture
def conversations(talks: Talks) -> ConversationStore:
    return talks.conversations


@pytest.fixture
def fresh(talks: Talks, clock: StoppedClock) -> UnprocessedMessages:
    """Return the unprocessed messages in the table of `conversations`."""
    if talks.table:
        return DynamoUnprocessedMessages(talks.table, clock)
    assert isinstance(talks.conversations, InMemoryConversations)
    return InMemoryUnprocessedMessages(talks.conversations)


@pytest.fixture(params=EVERYWHERE)
def held_facts(request: pytest.FixtureRequest, clock: StoppedClock) -> Iterator[ReviewQueue]:
    if request.param == "fake":
        yield InMemoryReviewQueue(clock)
    elif request.param == "strict":
        with strict_aws():
            yield DynamoReviewQueue(make_table("memory"), clock)
    else:
        stack: Stack = request.getfixturevalue("stack")
        yield DynamoReviewQueue(stack_table(stack, stack.tables.memory), clock)


@pytest.fixture(params=EVERYWHERE)
def states(request: pytest.FixtureRequest, clock: StoppedClock) -> Iterator[StateStore]:
    if request.param == "fake":
        yield InMemoryStates(clock)
    elif request.param == "strict":
        with strict_aws():
            yield DynamoStates(make_table("memory"), make_bucket(), clock)
    else:
        stack: Stack = request.getfixturevalue("stack")
        yield DynamoStates(stack_table(stack, stack.tables.memory), stack_contents(stack), clock)


@pytest.fixture(params=EVERYWHERE)
def contents(request: pytest.FixtureRequest) -> Iterator[BlobStore]:
    if request.param == "fake":
        yield InMemoryBlobs()
    elif request.param == "strict":
        with strict_aws():
            yield make_bucket()
    else:
        yield stack_contents(request.getfixturevalue("stack"))


def _talks_on(table: "Table", contents: BlobStore, clock: StoppedClock) -> Talks:
    return Talks(DynamoConversations(table, clock), DynamoDeletedConversationItems(table, contents), table)


def _memory_on(table: "Table", contents: BlobStore) -> Memory:
    return Memory(
        DynamoFacts(table),
        DynamoEpisodes(table, contents, SHARDS),
        DynamoSignals(table),
        DynamoEpisodeReader(table, contents, StoppedClock(), SHARDS),
        DynamoEventTraces(table),
        DynamoAnswers(table),
    )


@pytest.fixture
def wire() -> ScriptedWire:
    return ScriptedWire()


@pytest.fixture
def model(wire: ScriptedWire) -> StructuredModel:
    http = httpx2.Client(transport=httpx2.MockTransport(wire.serve))
    return model_with_retries(Anthropic(api_key="k", http_client=http))
