"""Processes that outlive the command: each has a session of its own and is stopped with all it spawned."""

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
_CLOCK_SLACK_SECONDS = 2.0  # psutil reads the boot time in whole seconds
_POLL_SECONDS = 0.02


class ProcessRecord(BaseModel, frozen=True):
    """Identifies a process: another one may have its pid by now. The time survives a change of the clock."""

    pid: int
    tag: str
    seconds_after_boot: float


def start(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, tag: str) -> ProcessRecord:
    """Start `command` with its output appended to `log`; what it spawns inherits `tag`."""
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
        seconds = _seconds_after_boot(psutil.Process(child.pid))
    except psutil.NoSuchProcess:
        seconds = -1.0  # it ended at once; is_alive will say so
    return ProcessRecord(pid=child.pid, tag=tag, seconds_after_boot=seconds)


def is_alive(record: ProcessRecord) -> bool:
    try:
        process = psutil.Process(record.pid)
        moved = abs(_seconds_after_boot(process) - record.seconds_after_boot)
        return moved <= _CLOCK_SLACK_SECONDS and _is_running(process)
    except psutil.NoSuchProcess:
        return False


def stop(record: ProcessRecord, *, stop_signal: signal.Signals, grace_seconds: float) -> None:
    """Ask the process to end, then kill what is left of its session; each waits `grace_seconds` at most."""
    if is_alive(record):
        _send([psutil.Process(record.pid)], stop_signal, grace_seconds)
    _send(_list_session(record), signal.SIGKILL, grace_seconds)


def _send(processes: Sequence[psutil.Process], which: signal.Signals, wait_seconds: float) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile
            process.send_signal(which)
    deadline = time.monotonic() + wait_seconds
    while any(_is_running(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _list_session(record: ProcessRecord) -> list[psutil.Process]:
    leads = is_alive(record)

    def is_ours(process: psutil.Process) -> bool:
        try:
            in_group = os.getpgid(process.pid) == record.pid and _is_running(process)
            # Without its leader the group may be a stranger's: the tag decides.
            return in_group and (leads or process.environ().get(_TAG) == record.tag)
        except (OSError, psutil.Error):
            return False

    return [process for process in psutil.process_iter() if is_ours(process)]


def _is_running(process: psutil.Process) -> bool:
    try:
        # A zombie has ended; it stays in the process table where nobody collects orphans.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _seconds_after_boot(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()
