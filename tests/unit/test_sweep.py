"""functions/sweep: all items of a deleted conversation are removed, whatever interrupts it."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.sweep import handler
from functions.sweep.schemas import Deletion
from functions.sweep.usecase import clean_up_conversations
from membus.container import Container
from tests.factories import a_conversation, a_turn
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.crashing import Fuse, Fused
from tests.fakes.deleted_conversations import InMemoryDeletedConversationItems
from tests.support.api_client import LambdaInvocation

TURNS = 4
Told = list[tuple[str, str]]


def deleted(*ids: str) -> InMemoryConversations:
    """Return a store whose conversations have been said, and deleted."""
    store = InMemoryConversations(StoppedClock(), *map(a_conversation, ids))
    for conversation_id in ids:
        for number in range(TURNS):
            store.add_turn("acme", conversation_id, a_turn(number), request_key=f"k{number}", title=None)
        store.delete_conversation("acme", conversation_id)
    return store


def record(conversation_id: str, number: int = 1) -> dict[str, object]:
    keys = {"pk": {"S": f"T#acme#C#{conversation_id}"}, "sk": {"S": "META"}}
    return {"eventName": "MODIFY", "dynamodb": {"Keys": keys, "SequenceNumber": str(number)}}


def deletion(conversation_id: str, number: int = 1) -> Deletion:
    return Deletion.model_validate(record(conversation_id, number))


def left(store: InMemoryConversations, conversation_id: str) -> int:
    return len(store.list_messages("acme", conversation_id, limit=100, after=None).items)


def steps(left: int) -> Callable[[], float]:
    """Return a clock that gives time for so many removals."""
    seconds: Iterator[int] = count(left, -1)
    return lambda: next(seconds)


def _same(fuse: Fuse) -> Fuse:
    return fuse


def run(store: InMemoryConversations, *ids: str, removals: int = 1000, told: Told | None = None) -> list[str]:
    return clean_up_conversations(
        [deletion(each, number) for number, each in enumerate(ids)],
        deleted_items=InMemoryDeletedConversationItems(store),
        seconds_left=steps(removals),
        on_failure=lambda tenant, why: (told or []).append((tenant, why)),
    )


def test_all_items_of_deleted_conversations_are_removed() -> None:
    store = deleted("c", "d")

    assert run(store, "c", "d") == []
    assert (left(store, "c"), left(store, "d")) == (0, 0)


def test_removal_out_of_time_is_delivered_again_and_continues() -> None:
    store = deleted("c", "d")

    assert run(store, "c", "d", removals=3) == ["0", "1"]
    assert (left(store, "c"), left(store, "d")) == (5, 8)
    assert run(store, "c", "d") == []
    assert (left(store, "c"), left(store, "d")) == (0, 0)


def test_conversation_that_was_not_deleted_is_left_alone() -> None:
    store = InMemoryConversations(StoppedClock(), a_conversation("c"))
    store.add_turn("acme", "c", a_turn(), request_key="k", title=None)

    assert run(store, "c") == []
    assert left(store, "c") == 2


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=6))
def test_failing_store_loses_no_item_to_remove(faults: list[tuple[int, bool]]) -> None:
    store = deleted("c", "d")
    told: Told = []
    unfinished = ["c", "d"]
    for at, after in faults:
        fuse = Fuse(at, after=after)
        remains = Fused(InMemoryDeletedConversationItems(store), partial(_same, fuse))
        again = clean_up_conversations(
            [deletion(each) for each in unfinished],
            deleted_items=remains,
            seconds_left=lambda: 1,
            on_failure=lambda tenant, why: told.append((tenant, why)),
        )
        assert bool(again) <= bool(told)

    assert run(store, *unfinished) == []
    assert (left(store, "c"), left(store, "d")) == (0, 0)
    assert set(told) <= {("acme", "the line went dead")}


@pytest.mark.parametrize(("seconds", "again"), [(60.0, []), (20.0, ["7"])])
def test_handler_reports_deletions_to_deliver_again(seconds: float, again: list[str]) -> None:
    store, container = deleted("c"), Container({})
    container.conversations.deleted_items = InMemoryDeletedConversationItems(store)
    context: Any = LambdaInvocation(seconds)

    answer = handler.handler({"Records": [record("c", 7)]}, context, container)

    assert answer == {"batchItemFailures": [{"itemIdentifier": number} for number in again]}
    assert (left(store, "c") == 0) == (not again)
