"""The port ConnectionStore: in memory, in DynamoDB, and on the deployed stack."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from membus.conversations.dynamodb_replies import DynamoConnections
from membus.conversations.ports import ConnectionStore
from membus.conversations.reply_jobs import CONNECTION_LIFETIME, SocketConnection
from membus.core.errors import NotFoundError
from tests.fakes.clock import StoppedClock
from tests.fakes.sockets import InMemoryConnections
from tests.support.backends import OnEveryBackend


@pytest.fixture
def clock() -> StoppedClock:
    """The present: the deployed table deletes what has expired by its own clock."""
    return StoppedClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def connections(on_every_backend: OnEveryBackend, clock: StoppedClock) -> ConnectionStore:
    return on_every_backend(
        lambda: InMemoryConnections(clock),
        lambda aws: DynamoConnections(aws.get_table("conversations"), clock),
    )


def a_connection(clock: StoppedClock, **fields: object) -> SocketConnection:
    known = {
        "connection_id": f"L0SM9c{uuid4().hex[:6]}=",
        "tenant_id": "acme",
        "key_id": "k1",
        "scopes": ["chat"],
        "connected_at": clock(),
    }
    return SocketConnection.model_validate(known | fields)


def test_an_open_connection_is_found_as_it_was_opened(
    connections: ConnectionStore, clock: StoppedClock
) -> None:
    connections.add_connection(opened := a_connection(clock))

    assert connections.get_connection("acme", opened.connection_id) == opened


def test_another_tenants_connection_is_absent(connections: ConnectionStore, clock: StoppedClock) -> None:
    connections.add_connection(opened := a_connection(clock))

    with pytest.raises(NotFoundError):
        connections.get_connection("zeta", opened.connection_id)


def test_a_connection_that_was_closed_is_absent_and_may_be_closed_again(
    connections: ConnectionStore, clock: StoppedClock
) -> None:
    connections.add_connection(opened := a_connection(clock))
    connections.delete_connection("zeta", opened.connection_id)
    assert connections.get_connection("acme", opened.connection_id)

    connections.delete_connection("acme", opened.connection_id)
    connections.delete_connection("acme", opened.connection_id)

    with pytest.raises(NotFoundError):
        connections.get_connection("acme", opened.connection_id)


def test_connection_expires_after_two_hours(connections: ConnectionStore, clock: StoppedClock) -> None:
    connections.add_connection(opened := a_connection(clock))
    clock.advance(CONNECTION_LIFETIME - timedelta(seconds=1))
    assert connections.get_connection("acme", opened.connection_id)

    clock.advance(timedelta(seconds=1))

    with pytest.raises(NotFoundError):
        connections.get_connection("acme", opened.connection_id)
