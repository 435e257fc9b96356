"""Exactly once over DynamoDB.

Byte for byte the items of one delivery in order, whatever breaks on the wire.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import pytest
from botocore.exceptions import EndpointConnectionError

from localstack.home import Stack
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages
from membus.core.event import Event
from membus.core.identity import Owner
from membus.episodes.dynamodb import DynamoEpisodes
from membus.facts.dynamodb import DynamoFacts
from membus.facts.dynamodb_review_queue import DynamoReviewQueue
from membus.facts.dynamodb_signals import DynamoSignals
from tests.factories import NOON, a_conversation, a_server_error, a_setting, an_event, said
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock
from tests.fakes.crashing import Death, Fuse
from tests.strict import strict_aws
from tests.support.backends import DeployedAws
from tests.support.budgets import sample
from tests.support.event_streams import NO_FAULTS, DeliveryFaults, a_turn_of_chat, deliver, stored_in_tables
from tests.support.extraction import Extraction, observant
from tests.support.tables import make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LINE_DEAD = EndpointConnectionError(endpoint_url="https://dynamodb.example")
LONG = f"I like tea. {'Nothing to see here. ' * 2_000}"
"""Longer than an item holds: its payload spills."""


class World:
    """Extract over the tables of one tenant, in which two turns of chat have been spoken."""

    def __init__(self, memory: "Table", conversations: "Table") -> None:
        self.tables, self.tenant = (memory, conversations), f"t{uuid4().hex[:12]}"
        clock = StoppedClock(NOON + timedelta(hours=1))
        chats = DynamoConversations(conversations, clock)
        chats.create_conversation(a_conversation("c", tenant_id=self.tenant), request_key="c")
        self.contents = InMemoryBlobs()
        spoken = [
            a_turn_of_chat(self.tenant, 7, "I live in Oslo"),
            a_turn_of_chat(self.tenant, 8, "Nothing to see"),
        ]
        for turn, event in spoken:
            chats.add_turn(self.tenant, "c", turn, request_key=event.event_id, title=None)
        self.stream = [*_stream(Owner(tenant=self.tenant, user="ada")), *(event for _, event in spoken)]
        self.extraction = Extraction(
            observant(),
            episodes=DynamoEpisodes(memory, self.contents, 3),
            facts=DynamoFacts(memory),
            signals=DynamoSignals(memory),
            review_queue=DynamoReviewQueue(memory, clock),
            unprocessed=DynamoUnprocessedMessages(conversations, clock),
        )

    def after(self, weather: DeliveryFaults) -> bytes:
        deliver(self.extraction, self.stream, weather)
        assert self.extraction.poison_messages.parked == self.extraction.dead_letters.parked == []
        return stored_in_tables(self.tables, self.tenant)


def _stream(owner: Owner) -> Sequence[Event]:
    return [
        said("I live in Lisbon. I like tea", "s1", owner=owner),
        said("I like tea https://evil.example/x", "s2", owner=owner),
        said("I live in Rome", "s3", owner=owner, remember=False),
        said(LONG, "s4", owner=owner),
        a_setting("t1", owner=owner),
        *(a_server_error(f"r{n}", at=NOON + timedelta(minutes=n), owner=owner) for n in range(3)),
        an_event("v1", type="page.viewed", payload={}, owner=owner),
    ]


@pytest.fixture
def tables() -> "Iterator[tuple[Table, Table]]":
    with strict_aws():
        yield make_table("memory"), make_table("conversations")


def emptied(tables: "tuple[Table, Table]") -> "tuple[Table, Table]":
    """Make the tables anew: a hundred worlds in one table are slow to read."""
    for table, name in zip(tables, ("memory", "conversations"), strict=True):
        table.delete()
        make_table(name)
    return tables


class Wire:
    """Every request of the tables' clients goes through one fuse, before it leaves or after it has been answered."""

    def __init__(self, tables: "tuple[Table, Table]", fuse: Fuse) -> None:
        self._fuse, self.calls = fuse, 0
        self._emitters = [table.meta.client.meta.events for table in tables]

    def __enter__(self) -> Self:
        for emitter in self._emitters:
            emitter.register_first("before-call.dynamodb", self._before, unique_id="fuse-before")
            emitter.register_last("after-call.dynamodb", self._after, unique_id="fuse-after")
        return self

    def __exit__(self, *_: object) -> None:
        for emitter in self._emitters:
            emitter.unregister("before-call.dynamodb", unique_id="fuse-before")
            emitter.unregister("after-call.dynamodb", unique_id="fuse-after")

    def _before(self, **_: Any) -> None:
        self.calls += 1
        if not self._fuse.after:
            self._fuse.through(lambda: None)

    def _after(self, **_: Any) -> None:
        if self._fuse.after:
            self._fuse.through(lambda: None)


@pytest.mark.parametrize(
    ("fault", "after"),
    [(LINE_DEAD, False), (LINE_DEAD, True), (Death(), True)],
    ids=["line dead before it leaves", "line dead before the answer is heard", "process dead behind it"],
)
def test_crash_at_any_request_leaves_no_difference(
    tables: "tuple[Table, Table]", fault: BaseException, *, after: bool
) -> None:
    reference = World(*tables).after(NO_FAULTS)
    whole = World(*tables)
    with Wire(tables, Fuse()) as wire:
        deliver(whole.extraction, whole.stream, DeliveryFaults())
    assert wire.calls > len(whole.stream) * 2

    for at in sample(range(1, wire.calls + 1), most=10):
        world = World(*emptied(tables))
        with Wire(tables, Fuse(at, after=after, fault=fault)):
            deliver(world.extraction, world.stream, DeliveryFaults())
        assert stored_in_tables(world.tables, world.tenant) == reference, f"a crash at request {at}"


def test_five_copies_in_any_order_store_the_items_of_one(tables: "tuple[Table, Table]") -> None:
    reference = World(*tables).after(NO_FAULTS)

    for seed in range(1, 4):
        assert World(*tables).after(DeliveryFaults(copies=5, seed=seed)) == reference


@pytest.mark.stack
def test_five_copies_store_the_items_of_one_on_deployed_tables(stack: Stack) -> None:
    aws = DeployedAws(stack)
    tables = aws.get_table("memory"), aws.get_table("conversations")

    reference = World(*tables).after(NO_FAULTS)

    assert World(*tables).after(DeliveryFaults(copies=5, seed=1)) == reference
    with Wire(tables, Fuse(17, after=True, fault=Death())):
        assert World(*tables).after(DeliveryFaults(copies=5, seed=2)) == reference
