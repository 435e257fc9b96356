"""What only the adapter of states can get wrong.

Pointers to large documents, repeated requests, lost races.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from membus.core.errors import ConflictError, UnavailableError
from membus.states.dynamodb import DynamoStates
from membus.states.model import AgentSession
from tests.factories import NOON
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

SESSION = AgentSession(tenant="acme", agent="guide", session_id="s1")
LARGE, LARGER, SMALL = {"text": "x" * 40_000}, {"text": "y" * 40_000}, {"text": "z"}
EXPIRY = NOON.replace(hour=13)


@pytest.fixture
def contents() -> InMemoryBlobs:
    return InMemoryBlobs()


@pytest.fixture
def states(table: "Table", contents: InMemoryBlobs) -> DynamoStates:
    return DynamoStates(table, contents, StoppedClock())


def put(states: DynamoStates, data: dict[str, Any], version: int | None = None) -> int:
    return states.put_state(SESSION, data, expires_at=EXPIRY, expected_version=version).version


def after_the_next_write(table: "Table", act: Callable[[], None]) -> None:
    """Let the next update reach the table, then do something before its answer arrives."""
    left = [1]

    def once(**_: object) -> None:
        if left.pop() if left else 0:
            act()

    table.meta.client.meta.events.register_first("after-call.dynamodb.UpdateItem", once)


def lose_the_answer() -> None:
    raise ReadTimeoutError(endpoint_url="https://dynamodb")


def test_large_state_is_stored_outside_its_item(
    table: "Table", states: DynamoStates, contents: InMemoryBlobs
) -> None:
    put(states, LARGE)

    (item,) = table.scan()["Items"]
    assert "body" not in item
    assert [*contents.kept] == [item["spilled"]]
    assert str(item["spilled"]).startswith("states/acme/")


@pytest.mark.parametrize(("data", "left"), [(LARGER, 1), (LARGE, 1), (SMALL, 0)])
def test_a_replaced_document_is_removed(
    states: DynamoStates, contents: InMemoryBlobs, data: dict[str, Any], left: int
) -> None:
    put(states, LARGE)
    put(states, data)

    assert len(contents.kept) == left
    assert states.get_state(SESSION).data == data


def test_a_deleted_document_is_removed(states: DynamoStates, contents: InMemoryBlobs) -> None:
    put(states, LARGE)
    states.delete_state(SESSION, expected_version=1)

    assert contents.kept == {}


def test_lost_write_keeps_the_newer_large_text(states: DynamoStates, contents: InMemoryBlobs) -> None:
    put(states, LARGE)
    put(states, LARGER)

    with pytest.raises(ConflictError):
        put(states, LARGE, 1)

    assert states.get_state(SESSION).data == LARGER
    assert len(contents.kept) == 1


def test_state_is_unchanged_if_its_large_text_cannot_be_stored(
    states: DynamoStates, contents: InMemoryBlobs
) -> None:
    put(states, LARGE)
    contents.down = True
    with pytest.raises(UnavailableError):
        put(states, LARGER)
    with pytest.raises(UnavailableError):
        states.get_state(SESSION)
    contents.down = False

    assert states.get_state(SESSION).data == LARGE
    assert states.get_state(SESSION).version == 1


def test_failed_delete_of_an_old_large_text_does_not_stop_a_write(
    states: DynamoStates, contents: InMemoryBlobs
) -> None:
    put(states, LARGE)
    contents.down = True

    assert put(states, SMALL) == 2
    states.delete_state(SESSION, expected_version=2)
    assert len(contents.kept) == 1


def test_state_replaced_during_a_read_is_read_again(states: DynamoStates, contents: InMemoryBlobs) -> None:
    put(states, LARGE)
    read = contents.get_text

    def replaced_meanwhile(key: str) -> str | None:
        contents.get_text = read  # type: ignore[method-assign]
        put(states, LARGER)
        return read(key)

    contents.get_text = replaced_meanwhile  # type: ignore[method-assign]

    assert states.get_state(SESSION).data == LARGER


def test_lost_large_text_is_an_error_and_not_a_missing_state(
    states: DynamoStates, contents: InMemoryBlobs
) -> None:
    put(states, LARGE)
    contents.kept.clear()

    with pytest.raises(UnavailableError):
        states.get_state(SESSION)


@pytest.mark.parametrize("data", [LARGER, SMALL])
def test_write_whose_answer_was_lost_keeps_its_large_text(
    table: "Table", states: DynamoStates, data: dict[str, Any]
) -> None:
    put(states, LARGE)
    after_the_next_write(table, lose_the_answer)

    with pytest.raises(UnavailableError):
        put(states, data, 1)

    assert states.get_state(SESSION).version == 2
    assert states.get_state(SESSION).data == data


def test_repeated_request_gets_the_result_of_the_first(table: "Table", states: DynamoStates) -> None:
    put(states, LARGE)
    put(states, LARGER, 1)
    won = states._replace(SESSION, {**_values(table)}, 1)

    assert won == (2, None)
    assert states.get_state(SESSION).data == LARGER


def _values(table: "Table") -> dict[str, Any]:
    (item,) = table.scan()["Items"]
    return {name: item[name] for name in ("spilled", "write_id", "expires_at")}
