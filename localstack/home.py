"""The paths of the local stack: of the checkout, and of the folder that one stack keeps (`.local`)."""

import fcntl
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from uuid import uuid4

from dotenv import dotenv_values
from pydantic import BaseModel

REPOSITORY = Path(__file__).resolve().parents[1]
LAYER = REPOSITORY / "layers" / "membus" / "python"
ENVIRONMENT = REPOSITORY / "terraform" / "environments" / "local"
HOST_BUILD = REPOSITORY / "dist" / "host"
LOCAL = REPOSITORY / ".local"
# Every stack of this checkout shares these two.
EMULATOR_VENV = LOCAL / "venvs" / "emulator"
PROGRAMS = LOCAL / "bin"

_TAIL_LINES, _TAIL_COLUMNS = 20, 300
_DELETE_SECONDS = 10


class StackError(Exception):
    """Says what could not be done and how to help; it is shown without a traceback."""


def read_environment(file: Path = REPOSITORY / ".env") -> dict[str, str]:
    """Return the variables of this process, and those of `file` that the process does not have."""
    from_file = {name: value for name, value in dotenv_values(file).items() if value}
    return from_file | dict(os.environ)  # noqa: TID251 - every other module is handed the mapping


def find_package(name: str) -> Path:
    """Return the folder of an installed package without importing it."""
    package = find_spec(name)
    if package is None or package.origin is None:
        raise StackError(f"The package {name.replace('_', '-')} is not installed; `make setup` installs it.")
    return Path(package.origin).parent


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read at any moment."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)


def delete_folder(folder: Path) -> bool:
    """Delete `folder`; return False after ten seconds, while a process of its own continues."""
    remover = subprocess.Popen(
        ["/bin/rm", "-rf", str(folder)], stderr=subprocess.DEVNULL, start_new_session=True
    )
    waiting = threading.Thread(target=remover.wait, daemon=True)
    waiting.start()
    waiting.join(_DELETE_SECONDS)
    return not waiting.is_alive()


@dataclass(frozen=True)
class Home:
    """The folder of one stack: records of its parts, their logs and data. Several can run side by side."""

    root: Path

    @property
    def stack_file(self) -> Path:
        return self.root / "stack.json"

    @property
    def state_file(self) -> Path:
        return self.root / "terraform.tfstate"

    @property
    def fingerprint_file(self) -> Path:
        """Holds the fingerprint of the last complete deployment."""
        return self.root / "run" / "deployed"

    @property
    def scratch_folder(self) -> Path:
        """Holds the temporary files of the parts, which `down` deletes."""
        return self.root / "tmp"

    def log_file(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def record_file(self, name: str) -> Path:
        return self.root / "run" / f"{name}.json"

    def data_folder(self, name: str) -> Path:
        return self.root / "data" / name

    def read_log_tail(self, name: str) -> str:
        log = self.log_file(name)
        text = log.read_text(errors="replace") if log.exists() else "(no log)"
        return "\n".join(f"    {line[:_TAIL_COLUMNS]}" for line in text.splitlines()[-_TAIL_LINES:])

    def create_folders(self) -> None:
        for folder in ("logs", "run", "data", "tmp"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    def move_logs_aside(self) -> None:
        """Keep the logs of the previous stack in `logs-before`, and no older ones."""
        before = self.root / "logs-before"
        shutil.rmtree(before, ignore_errors=True)
        if (self.root / "logs").exists():
            (self.root / "logs").rename(before)

    def delete_records(self) -> bool:
        """Delete everything of a stopped stack but its logs and Terraform's provider folder.

        Returns whether all is deleted by now: workers of Lambda functions leave thousands of files.
        """
        for file in (self.stack_file, *self.root.glob("*.tfstate*"), *self.root.glob("*.tfvars.json")):
            file.unlink(missing_ok=True)
        deleted = self.root / "deleted"
        for folder in ("run", "data", "tmp"):
            if (self.root / folder).exists():
                deleted.mkdir(exist_ok=True)
                (self.root / folder).rename(deleted / f"{folder}-{uuid4().hex}")
        return delete_folder(deleted)

    @contextmanager
    def lock_folder(self, on_wait: Callable[[], None]) -> Iterator[None]:
        """Exclude other commands on this folder: two `up` at once would start every part twice."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Tables(BaseModel, frozen=True):
    memory: str
    conversations: str
    tenants: str
    idempotency: str


class Stack(BaseModel, frozen=True):
    """The content of `stack.json`: what a client, a test or the demo needs to use a running stack.

    A client appends `/v1/…` to `api_url`; `postgres_dsn` logs in as the functions do.
    """

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
