"""The parts of the stack and what each must say of itself: how it is prepared, started, asked and stopped."""

import signal
import socket
from collections.abc import Mapping, Sequence
from typing import Protocol

from localstack.home import Home
from localstack.ports import LOOPBACK


class StackPart(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def usual_port(self) -> int: ...

    @property
    def stops_on(self) -> signal.Signals: ...

    def prepare(self, home: Home, env: Mapping[str, str]) -> None:
        """Make what a start needs; quick where it is made already."""

    def command(self, home: Home, port: int) -> Sequence[str]: ...

    def environment(self, home: Home, port: int) -> dict[str, str]: ...

    def answers(self, home: Home, port: int) -> bool:
        """Say whether it serves yet; must not raise while it is starting."""


def replies_with(port: int, question: bytes, answer: bytes) -> bool:
    """Say whether what listens on `port` answers `question` with something that begins with `answer`."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(question)
            return connection.recv(256).startswith(answer)
    except OSError:
        return False


def is_healthy(port: int, path: str) -> bool:
    """Say whether an HTTP server on `port` answers `path` with 200."""
    question = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n"
    return replies_with(port, question.encode(), b"HTTP/1.1 200")
