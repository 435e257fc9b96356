"""Open sockets: which there are, and how something is said to one."""

from typing import Protocol

from membus.domain.connection import SocketConnection


class ConnectionStore(Protocol):
    """A connection of another tenant is as absent as one that never was, and so is one that has outlived its time."""

    def open(self, connection: SocketConnection) -> None: ...

    def find(self, tenant: str, connection_id: str) -> SocketConnection:
        """Return the connection; NotFoundError where there is none."""

    def close(self, tenant: str, connection_id: str) -> None:
        """Forget the connection; one that is not there is forgotten already."""


class SocketSender(Protocol):
    """Raises UnavailableError where the gateway does not take it."""

    def post(self, connection_id: str, frame: bytes) -> bool:
        """Send a frame of at most 128 KB; return False where the client is gone."""

    def hang_up(self, connection_id: str) -> None:
        """Close the connection, if it is open."""
