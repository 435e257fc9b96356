"""The port ConnectionStore: in memory, in DynamoDB, and on the deployed stack."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from membus.conversations.dynamodb_replies import DynamoConnections
from membus.conversations.ports import ConnectionStore
from membus.conversations.reply_jobs import CONNECTION_LIFETIME, SocketConnection
from membus.core.errors import NotFoundError
from tests.contract.conftest import EVERYWHERE, stack_table
from tests.fakes.clock import StoppedClock
from tests.fakes.sockets import InMemoryConnections
from tests.strict import strict_aws
from tests.support.tables import make_table

if TYPE_CHECKING:
    from localstack.home import Stack


@pytest.fixture(params=EVERYWHERE)
def connections(request: pytest.FixtureRequest, clock: StoppedClock) -> Iterator[ConnectionStore]:
    if request.param == "fake":
        yield InMemoryConnections(clock)
    elif request.param == "strict":
        with strict_aws():
            yield DynamoConnections(make_table("conversations"), clock)
    else:
        stack: Stack = request.getfixturevalue("stack")
        yield DynamoConnections(stack_table(stack, stack.tables.conversations), clock)


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


def test_a_connection_ends_after_two_hours_whether_or_not_it_said_so(
    connections: ConnectionStore, clock: StoppedClock
) -> None:
    connections.add_connection(opened := a_connection(clock))
    clock.advance(CONNECTION_LIFETIME - timedelta(seconds=1))
    assert connections.get_connection("acme", opened.connection_id)

    clock.advance(timedelta(seconds=1))

    with pytest.raises(NotFoundError):
        connections.get_connection("acme", opened.connection_id)
