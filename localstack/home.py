"""The folder of one stack: what it recorded of its parts, their logs, their data.

Several may live side by side.

Where the checkout keeps its sources, and the tools that every home of a stack shares.

What the local stack tells a person when it cannot go on.

The one place of the local stack that reads the environment, with `.env` of the checkout beneath it.

`stack.json`: what a client, a test or a demo must know of a running stack.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dotenv import dotenv_values
from pydantic import BaseModel

_TAIL = 20
_WIDTH = 300


@dataclass(frozen=True)
class Home:
    root: Path

    @property
    def stack_file(self) -> Path:
        return self.root / "stack.json"

    @property
    def state_file(self) -> Path:
        return self.root / "terraform.tfstate"

    @property
    def fingerprint_file(self) -> Path:
        """Holds the fingerprint of the last deployment that came to its end."""
        return self.root / "run" / "deployed"

    @property
    def scratch_folder(self) -> Path:
        """Temporary files of the parts, so that `down` knows where they are."""
        return self.root / "tmp"

    def log_file(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def record_file(self, name: str) -> Path:
        return self.root / "run" / f"{name}.json"

    def data_folder(self, name: str) -> Path:
        return self.root / "data" / name

    def read_log_tail(self, name: str, lines: int = _TAIL) -> str:
        log = self.log_file(name)
        text = log.read_text(errors="replace") if log.exists() else "(no log)"
        return "\n".join(f"    {line[:_WIDTH]}" for line in text.splitlines()[-lines:])

    def create_folders(self) -> None:
        for folder in ("logs", "run", "data", "tmp"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    def move_logs_aside(self) -> None:
        """Keep the logs of one life apart from the next one's, and no longer than that."""
        before = self.root / "logs-before"
        shutil.rmtree(before, ignore_errors=True)
        if (self.root / "logs").exists():
            (self.root / "logs").rename(before)

    def delete_records(self) -> None:
        """Drop everything that belongs to one life of the stack.

        Logs and Terraform's provider folder stay.
        """
        for folder in ("run", "data", "tmp"):
            shutil.rmtree(self.root / folder, ignore_errors=True)
        for file in (self.stack_file, *self.root.glob("*.tfstate*"), *self.root.glob("*.tfvars.json")):
            file.unlink(missing_ok=True)

    @contextmanager
    def lock_folder(self, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold this home alone: two commands at once would start every part twice."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_private(file: Path, text: str) -> None:
    """Write what only its owner may read, without a moment in which others might."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)


REPOSITORY = Path(__file__).resolve().parents[1]
LAYER = REPOSITORY / "layers" / "membus" / "python"
LOCAL = REPOSITORY / ".local"
EMULATOR_VENV = LOCAL / "venvs" / "emulator"
PROGRAMS = LOCAL / "bin"
ENVIRONMENT = REPOSITORY / "terraform" / "environments" / "local"
HOST_BUILD = REPOSITORY / "dist" / "host"


class StackError(Exception):
    """A sentence that says what could not be had or done, and how to help; shown without a traceback."""


def read_environment(file: Path = REPOSITORY / ".env") -> dict[str, str]:
    """Return the variables of this process.

    What `file` sets counts where the process has no such variable.
    """
    from_file = {name: value for name, value in dotenv_values(file).items() if value}
    return from_file | dict(os.environ)  # noqa: TID251 - the composition point; everything else is handed a mapping


class Tables(BaseModel, frozen=True):
    memory: str
    conversations: str
    tenants: str
    idempotency: str


class Stack(BaseModel, frozen=True):
    """`api_url` takes `/v1/…` appended; `postgres_dsn` is the functions' role."""

    endpoint_url: str
    api_url: str
    ws_url: str
    bus_name: str
    tenant_id: str
    api_key: str
    tables: Tables
    bucket: str
    postgres_dsn: str
    redis_url: str
    model_url: str

    @classmethod
    def read(cls, file: Path) -> Self:
        return cls.model_validate_json(file.read_text())

    def write(self, file: Path) -> None:
        write_private(file, self.model_dump_json(indent=2) + "\n")  # it holds a key and a password
