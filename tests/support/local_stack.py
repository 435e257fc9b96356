"""A test run's own local stack.

Started beside the tests that need none, waited for by the first that does, stopped.
"""

import subprocess
import sys
from pathlib import Path

import psutil

from localstack.home import LOCAL, REPOSITORY, Home, delete_folder, read_environment
from localstack.lifecycle import down

HOMES = LOCAL / "test"
_PATIENCE_SECONDS = 600


class StackFailedError(Exception):
    """It did not come up; the message holds what `up` said."""


class TestRunStack:
    """One per test run, in a home that bears its pid: never the developer's, nor another run's."""

    def __init__(self, homes: Path, pid: int) -> None:
        self._home = Home(homes / str(pid))
        self._said = self._home.root / "up.log"
        self._up: subprocess.Popen[bytes] | None = None

    @property
    def started(self) -> bool:
        return self._up is not None

    def start(self) -> None:
        self._home.create_folders()
        with self._said.open("wb") as said:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "localstack", "up", "--any-ports", "--home", str(self._home.root)],
                cwd=REPOSITORY,
                env=read_environment() | {"ANTHROPIC_API_KEY": ""},  # no test asks, and pays, the real model
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops this
            )

    def wait(self) -> Path:
        """Return the file that describes it."""
        if self._up is None:
            raise StackFailedError(
                "the stack was not started: mark the test with `stack`, or use the fixture by name"
            )
        if self._up.wait(_PATIENCE_SECONDS):
            raise StackFailedError(
                f"the local stack did not come up:\n{self._said.read_text(errors='replace')}"
            )
        return self._home.stack_file

    def stop(self, *, keep_logs: bool) -> None:
        if self._up is None:
            return
        if self._up.poll() is None:
            self._up.terminate()  # it stops what it has started by then
            self._up.wait(_PATIENCE_SECONDS)
        down(self._home)
        if not keep_logs:
            delete_folder(self._home.root)


def sweep(homes: Path) -> None:
    """Stop and remove what test runs that were killed have left; a home bears the pid of its run."""
    for root in homes.glob("[0-9]*"):
        if not psutil.pid_exists(int(root.name)):
            down(Home(root))
            delete_folder(root)
