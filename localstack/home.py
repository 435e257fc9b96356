"""The folder of one stack: what it recorded of its parts, their logs, their data.

Several may live side by side.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TAIL = 20
_WIDTH = 300


@dataclass(frozen=True)
class Home:
    root: Path

    @property
    def stack_file(self) -> Path:
        return self.root / "stack.json"

    @property
    def state(self) -> Path:
        return self.root / "terraform.tfstate"

    @property
    def deployed(self) -> Path:
        """Holds the fingerprint of the last deployment that came to its end."""
        return self.root / "run" / "deployed"

    @property
    def scratch(self) -> Path:
        """Temporary files of the parts, so that `down` knows where they are."""
        return self.root / "tmp"

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def record(self, name: str) -> Path:
        return self.root / "run" / f"{name}.json"

    def data(self, name: str) -> Path:
        return self.root / "data" / name

    def tail(self, name: str, lines: int = _TAIL) -> str:
        log = self.log(name)
        text = log.read_text(errors="replace") if log.exists() else "(no log)"
        return "\n".join(f"    {line[:_WIDTH]}" for line in text.splitlines()[-lines:])

    def make(self) -> None:
        for folder in ("logs", "run", "data", "tmp"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    def set_logs_aside(self) -> None:
        """Keep the logs of one life apart from the next one's, and no longer than that."""
        before = self.root / "logs-before"
        shutil.rmtree(before, ignore_errors=True)
        if (self.root / "logs").exists():
            (self.root / "logs").rename(before)

    def forget(self) -> None:
        """Drop everything that belongs to one life of the stack.

        Logs and Terraform's provider folder stay.
        """
        for folder in ("run", "data", "tmp"):
            shutil.rmtree(self.root / folder, ignore_errors=True)
        for file in (self.stack_file, *self.root.glob("*.tfstate*"), *self.root.glob("*.tfvars.json")):
            file.unlink(missing_ok=True)

    @contextmanager
    def locked(self, on_wait: Callable[[], None]) -> Iterator[None]:
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
