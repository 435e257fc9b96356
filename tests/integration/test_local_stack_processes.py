"""localstack.processes: every process of the stack is stopped with its children, and no other process."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from localstack import processes

TAG = "a-home#a-part"
PATIENCE_SECONDS = 60
# A leader that ignores SIGTERM, and its worker, whose pid is in the log.
PARENT = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(worker.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def parent(tmp_path: Path) -> tuple[processes.ProcessRecord, psutil.Process]:
    log = tmp_path / "log"
    started = processes.start([sys.executable, "-c", PARENT], env={}, cwd=tmp_path, log=log, tag=TAG)
    _until(lambda: log.read_text().strip() != "")
    return started, psutil.Process(int(log.read_text()))


def test_a_process_that_ignores_sigterm_is_killed_with_its_children(
    parent: tuple[processes.ProcessRecord, psutil.Process],
) -> None:
    started, worker = parent

    processes.stop(started, stop_signal=signal.SIGTERM, grace_seconds=0.2)

    assert not processes.is_alive(started)
    _until(lambda: _has_ended(worker))


def test_workers_of_a_crashed_parent_are_killed(
    parent: tuple[processes.ProcessRecord, psutil.Process],
) -> None:
    started, worker = parent
    psutil.Process(started.pid).kill()
    _until(lambda: not processes.is_alive(started))

    processes.stop(started, stop_signal=signal.SIGTERM, grace_seconds=0.2)

    _until(lambda: _has_ended(worker))


def test_a_reused_pid_is_left_alone() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    ) as stranger:
        recycled = processes.ProcessRecord(pid=stranger.pid, tag=TAG, seconds_after_boot=1.0)

        processes.stop(recycled, stop_signal=signal.SIGKILL, grace_seconds=0.2)

        assert stranger.poll() is None
        stranger.kill()


def _has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
