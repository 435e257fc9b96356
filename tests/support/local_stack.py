"""A test run's own local stack.

Started beside the tests that need none, waited for by the first that does, stopped at the end.
"""

import signal
import sys
import time
from pathlib import Path

import psutil

from localstack import processes
from localstack.home import LOCAL, REPOSITORY, Home, delete_folder, read_environment
from localstack.lifecycle import down

HOMES = LOCAL / "test"
_PATIENCE_SECONDS = 600
_POLL_SECONDS = 0.2


class StackFailedError(Exception):
    """The stack did not come up; the message holds what `up` said."""


class TestRunStack:
    """The stack of one test run, in a home that bears the run's pid.

    One process starts and stops it; every process of the run may wait for it.
    """

    def __init__(self, homes: Path, pid: int) -> None:
        self._home = Home(homes / str(pid))
        self._log, self._record = self._home.root / "up.log", self._home.root / "up.json"

    def start(self) -> None:
        if self._record.exists():
            return
        self._home.create_folders()
        up = processes.start(
            [sys.executable, "-m", "localstack", "up", "--any-ports", "--home", str(self._home.root)],
            cwd=REPOSITORY,
            env=read_environment() | {"ANTHROPIC_API_KEY": ""},  # no test asks, and pays, the real model
            log=self._log,
            tag=self._home.root.name,
        )
        self._record.write_text(up.model_dump_json())

    def wait(self) -> Path:
        """Return the file that describes the stack once all of it runs."""
        if not self._record.exists():
            raise StackFailedError("the stack was not started: mark the test with `stack`")
        up, deadline = self._read_record(), time.monotonic() + _PATIENCE_SECONDS
        while processes.is_alive(up) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not self._home.fingerprint_file.exists():
            raise StackFailedError(
                f"the local stack did not come up:\n{self._log.read_text(errors='replace')}"
            )
        return self._home.stack_file

    def stop(self, *, keep_logs: bool) -> None:
        if self._record.exists():
            # An unfinished `up` stops what it has started by then.
            processes.stop(self._read_record(), stop_signal=signal.SIGTERM, grace_seconds=_PATIENCE_SECONDS)
            down(self._home)
        if not keep_logs and self._home.root.exists():
            delete_folder(self._home.root)

    def _read_record(self) -> processes.ProcessRecord:
        return processes.ProcessRecord.model_validate_json(self._record.read_text())


def sweep(homes: Path) -> None:
    """Stop and remove what test runs that were killed have left; a home bears the pid of its run."""
    for root in homes.glob("[0-9]*"):
        if not psutil.pid_exists(int(root.name)):
            down(Home(root))
            delete_folder(root)
