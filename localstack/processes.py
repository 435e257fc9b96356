"""Starts processes that outlive the command, and stops those, with all they spawned, and no others."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import BaseModel

_TAG = "MEMBUS_STACK_PART"
# psutil reads the boot time in whole seconds.
_CLOCK_SLACK_SECONDS = 2.0
_POLL_SECONDS = 0.02


class ProcessRecord(BaseModel, frozen=True):
    """Which process it was: a pid alone may have been given to another since.

    Times survive a change of the clock.
    """

    pid: int
    tag: str
    seconds_after_boot: float


def start(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, tag: str) -> ProcessRecord:
    """Start `command` in a session of its own, its output appended to `log`.

    `tag` marks whatever it spawns.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            env={**env, _TAG: tag},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Reaped when it dies while this command still runs: a zombie would look alive.
    threading.Thread(target=child.wait, daemon=True).start()
    try:
        return ProcessRecord(
            pid=child.pid, tag=tag, seconds_after_boot=_seconds_after_boot(psutil.Process(child.pid))
        )
    except psutil.NoSuchProcess:  # dead on arrival; is_alive will say so
        return ProcessRecord(pid=child.pid, tag=tag, seconds_after_boot=-1)


def is_alive(started: ProcessRecord) -> bool:
    try:
        process = psutil.Process(started.pid)
        born = _seconds_after_boot(process)
        return abs(born - started.seconds_after_boot) <= _CLOCK_SLACK_SECONDS and _runs(process)
    except psutil.NoSuchProcess:
        return False


def stop(started: ProcessRecord, *, politely: signal.Signals, grace_seconds: float) -> None:
    """Ask the process to end, then end what is left of its session; returns when nothing is left."""
    if is_alive(started):
        _signal([psutil.Process(started.pid)], politely, grace_seconds)
    _signal(_session(started), signal.SIGKILL, grace_seconds)


def _signal(processes: Sequence[psutil.Process], how: signal.Signals, wait_seconds: float) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it went by itself meanwhile
            process.send_signal(how)
    deadline = time.monotonic() + wait_seconds
    while any(_runs(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _session(started: ProcessRecord) -> list[psutil.Process]:
    """Return what still runs of the session; where its leader is gone, only what carries our tag."""
    group = [
        process for process in psutil.process_iter() if _group(process.pid) == started.pid and _runs(process)
    ]
    return group if is_alive(started) else [process for process in group if _tag(process) == started.tag]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _tag(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(_TAG)
    except psutil.Error:
        return None


def _runs(process: psutil.Process) -> bool:
    try:
        # A zombie has ended; where nobody collects orphans it stays in the table for ever.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _seconds_after_boot(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()
