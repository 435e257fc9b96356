"""`python -m localstack` on a running stack: a second `up`, a crash, its repair."""

import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from localstack import processes, running
from localstack.home import REPOSITORY, Home
from localstack.parts import LOOPBACK, RedisPart

PATIENCE_SECONDS = 120


def _command(name: str, stack_file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "localstack", name, "--home", str(stack_file.parent)]
    return subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True)


def _redis_process(stack_file: Path) -> psutil.Process:
    record = running.read_record(Home(stack_file.parent), RedisPart())
    assert record is not None
    return psutil.Process(record.process.pid)


def test_a_second_up_changes_nothing(stack_file: Path) -> None:
    before = _redis_process(stack_file)

    second = _command("up", stack_file)

    assert "up already" in second.stdout
    assert _redis_process(stack_file) == before


def test_status_names_every_part_with_its_address(stack_file: Path) -> None:
    status = _command("status", stack_file)

    assert status.returncode == 0
    assert [line.split()[:2] for line in status.stdout.splitlines()[:4]] == [
        [part.name, "running"] for part in running.PARTS
    ]
    assert status.stdout.count(f"{LOOPBACK}:") == 4


@pytest.mark.outage
def test_the_next_up_restarts_a_crashed_part_alone(stack_file: Path) -> None:
    emulator = running.read_record(Home(stack_file.parent), running.PARTS[0])
    crashed = _redis_process(stack_file)
    crashed.kill()
    while crashed.is_running() and crashed.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)

    status = _command("status", stack_file)
    repair = _command("up", stack_file)

    assert status.returncode == 1
    assert "redis crashed; the end of" in status.stdout
    assert repair.returncode == 0
    assert _redis_process(stack_file).is_running()
    assert running.read_record(Home(stack_file.parent), running.PARTS[0]) == emulator


def test_only_its_owner_may_read_the_stack_file(stack_file: Path) -> None:
    assert stat.S_IMODE(stack_file.stat().st_mode) == 0o600


def test_ctrl_c_during_up_leaves_nothing_running(tmp_path: Path) -> None:
    home = Home(tmp_path)
    command = [sys.executable, "-m", "localstack", "up", "--any-ports", "--home", str(tmp_path)]
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a run in the background would hand down that it is ignored
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as up:
        while not all(running.read_record(home, part) for part in running.PARTS):
            assert up.poll() is None
            time.sleep(0.02)
        begun = [record.process for part in running.PARTS if (record := running.read_record(home, part))]

        up.send_signal(signal.SIGINT)

        assert up.wait(PATIENCE_SECONDS) == 130
        assert up.stderr is not None
        assert "what this command started is stopped too" in up.stderr.read()
    assert [process for process in begun if processes.is_alive(process)] == []
