"""The stores of the contract tests, each on every backend."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest
from anthropic import Anthropic

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
from tests.support.backends import AwsBackend, DeployedAws, OnEveryBackend, StrictAws
from tests.support.language_models import ScriptedWire, model_with_retries
from tests.support.tables import make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

SHARDS = 3


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


@pytest.fixture(params=["fake", "strict", pytest.param("stack", marks=pytest.mark.stack)])
def on_every_backend(request: pytest.FixtureRequest) -> Iterator[OnEveryBackend]:
    """Run the test three times: on the fake, over a strict AWS in this process, over the deployed stack."""
    if request.param == "fake":
        yield OnEveryBackend(None)
    elif request.param == "strict":
        with strict_aws():
            yield OnEveryBackend(StrictAws())
    else:
        yield OnEveryBackend(DeployedAws(request.getfixturevalue("stack")))


@pytest.fixture
def table() -> "Iterator[Table]":
    """Return the table `memory` of a strict AWS."""
    with strict_aws():
        yield make_table("memory")


@pytest.fixture
def owner() -> Owner:
    """Return a user of a tenant that no other test has: the deployed tables are shared."""
    return Owner(tenant=f"t{uuid4().hex[:12]}", user="user1")


@pytest.fixture
def memory(on_every_backend: OnEveryBackend) -> Memory:
    return on_every_backend(_memory_in_process, _memory_on)


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


@pytest.fixture
def talks(on_every_backend: OnEveryBackend, clock: StoppedClock) -> Talks:
    def fake() -> Talks:
        kept = InMemoryConversations(clock)
        return Talks(kept, InMemoryDeletedConversationItems(kept))

    def adapter(aws: AwsBackend) -> Talks:
        table = aws.get_table("conversations")
        return Talks(
            DynamoConversations(table, clock), DynamoDeletedConversationItems(table, aws.get_blobs()), table
        )

    return on_every_backend(fake, adapter)


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


@pytest.fixture
def held_facts(on_every_backend: OnEveryBackend, clock: StoppedClock) -> ReviewQueue:
    return on_every_backend(
        lambda: InMemoryReviewQueue(clock), lambda aws: DynamoReviewQueue(aws.get_table("memory"), clock)
    )


@pytest.fixture
def states(on_every_backend: OnEveryBackend, clock: StoppedClock) -> StateStore:
    return on_every_backend(
        lambda: InMemoryStates(clock),
        lambda aws: DynamoStates(aws.get_table("memory"), aws.get_blobs(), clock),
    )


@pytest.fixture
def contents(on_every_backend: OnEveryBackend) -> BlobStore:
    return on_every_backend(InMemoryBlobs, lambda aws: aws.get_blobs())


def _memory_in_process() -> Memory:
    episodes = InMemoryEpisodes()
    return Memory(InMemoryFacts(episodes), episodes, InMemorySignals(), episodes, episodes, episodes)


def _memory_on(aws: AwsBackend) -> Memory:
    table, contents = aws.get_table("memory"), aws.get_blobs()
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
