"""Open sockets in memory: which there are, what was said to them, and turns that run at once."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from membus.conversations.reply_jobs import SocketConnection
from membus.core.clock import Clock
from membus.core.errors import NotFoundError, UnavailableError


class InMemoryConnections:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[tuple[str, str], SocketConnection] = {}

    def add_connection(self, connection: SocketConnection) -> None:
        self._open[connection.tenant_id, connection.connection_id] = connection

    def get_connection(self, tenant: str, connection_id: str) -> SocketConnection:
        found = self._open.get((tenant, connection_id))
        if found is None or found.expires_at <= self._clock():
            raise NotFoundError("no such connection")
        return found

    def delete_connection(self, tenant: str, connection_id: str) -> None:
        self._open.pop((tenant, connection_id), None)


class RecordingSender:
    """Clients that listen, unless they are in `gone`; `takes` frames in all before the gateway refuses."""

    def __init__(self) -> None:
        self.heard: dict[str, list[bytes]] = defaultdict(list)
        self.gone: set[str] = set()
        self.takes = 1_000_000

    def frames(self, connection_id: str) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.heard[connection_id]]

    def send_frame(self, connection_id: str, frame: bytes) -> bool:
        if self.takes == 0:
            raise UnavailableError("the gateway of the sockets: LimitExceededException")
        if connection_id in self.gone:
            return False
        self.takes -= 1
        self.heard[connection_id].append(frame)
        return True

    def close_connection(self, connection_id: str) -> None:
        self.gone.add(connection_id)


class ImmediateTurnQueue:
    """Runs a turn where Lambda would queue it, as what `run` makes of its event."""

    def __init__(self, run: Callable[[dict[str, Any]], object]) -> None:
        self.begun: list[Mapping[str, Any]] = []
        self._run = run

    def enqueue_turn(self, turn: Mapping[str, Any]) -> None:
        self.begun.append(turn)
        self._run({"turn": json.loads(json.dumps(turn))})
