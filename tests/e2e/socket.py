"""The WebSocket API as a client uses it."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE_SECONDS = 60
Frame = dict[str, Any]


class Talk:
    """An open socket; what it hears is checked as every client may rely on it."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire
        self._waiting = deque[str | bytes]()

    def say(self, message: Frame | str) -> None:
        self.wire.send(message if isinstance(message, str) else json.dumps(message))

    def hear(self) -> Frame:
        text = self._waiting.popleft() if self._waiting else self.wire.recv(timeout=PATIENCE_SECONDS)
        assert len(text.encode() if isinstance(text, str) else text) <= 128 * 1024
        frame: Frame = json.loads(text)
        return frame

    def hears(self) -> bool:
        """Listen for a moment; what is heard stays to be heard."""
        try:
            self._waiting.append(self.wire.recv(timeout=0.1))
        except TimeoutError:
            return False
        return True

    def ask(self, message: Frame | str) -> list[Frame]:
        """Say something and hear all frames of its answer, heartbeats left out."""
        self.say(message)
        heard = [self.hear()]
        while heard[-1]["type"] not in {"done", "error", "pong"}:
            heard.append(self.hear())
        assert [frame["seq"] for frame in heard] == list(range(len(heard)))
        assert len({frame["request_id"] for frame in heard}) == 1
        return [frame for frame in heard if frame["type"] != "heartbeat"]


@contextmanager
def talking(url: str, key: str | None, *, subprotocols: tuple[str, ...] = ()) -> Iterator[Talk]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    offered = [Subprotocol(each) for each in subprotocols] or None
    with connect(
        url,
        additional_headers=headers,
        subprotocols=offered,
        open_timeout=PATIENCE_SECONDS,
        ping_interval=None,  # a busy emulator answers pings late, and this client would hang up
    ) as wire:
        yield Talk(wire)


def at_once(one: Talk, other: Talk, message: Frame) -> None:
    for talk in (one, other):
        talk.say(message)


def first_to_hear(one: Talk, other: Talk) -> tuple[Talk, Talk]:
    """Return the two of them, first the one that hears something first: two sockets have no order."""
    for _ in range(10 * PATIENCE_SECONDS):
        for first, second in ((one, other), (other, one)):
            if first.hears():
                return first, second
    raise TimeoutError("neither hears anything")


def text_of(frames: list[Frame]) -> str:
    return "".join(frame["text"] for frame in frames if frame["type"] == "delta")
