"""localstack.running: every part listens on loopback alone, answers, and leaves no process."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from localstack import postgres, processes, running
from localstack.home import Home, read_environment
from localstack.lifecycle import describe
from localstack.parts import LOOPBACK, EmulatorPart, RedisPart, StackPart, choose_ports
from localstack.running import PARTS


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    home.create_folders()
    yield home
    for part in PARTS:
        running.stop(home, part)


def _start(home: Home, part: StackPart) -> running.PartRecord:
    running.start(home, part, choose_ports({part.name: 0})[part.name], read_environment(), threading.Event())
    record = running.read_record(home, part)
    assert record is not None
    return record


def _listens_on(record: running.PartRecord) -> set[str]:
    leader = psutil.Process(record.process.pid)
    family = [leader, *leader.children(recursive=True)]
    return {address for process in family for address in _addresses(process)}


def _addresses(process: psutil.Process) -> list[str]:
    """Return where a process listens; a worker of PostgreSQL may have ended meanwhile."""
    try:
        return [each.laddr.ip for each in process.net_connections("all") if each.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_listens_on_loopback_alone_and_leaves_no_process(home: Home, part: StackPart) -> None:
    record = _start(home, part)
    family = psutil.Process(record.process.pid).children(recursive=True)

    assert _listens_on(record) == {LOOPBACK}
    assert running.stop(home, part)
    assert not processes.is_alive(record.process)
    assert [
        process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ] == []


def test_a_part_that_crashed_is_named_with_the_end_of_its_log(home: Home) -> None:
    record = _start(home, RedisPart())
    crashed = psutil.Process(record.process.pid)
    crashed.kill()
    psutil.wait_procs([crashed], timeout=5)

    status = describe(home)

    assert "redis      CRASHED" in status
    assert "Ready to accept connections" in status


def test_a_part_that_cannot_start_is_named_with_the_end_of_its_log(home: Home) -> None:
    taken = _start(home, RedisPart())

    with pytest.raises(running.CrashedError, match=r"emulator crashed(.|\n)*already in use"):
        running.start(home, EmulatorPart(), taken.port, read_environment(), threading.Event())


def test_a_port_that_is_taken_is_not_given_out(home: Home) -> None:
    taken = _start(home, RedisPart())

    assert choose_ports({"another": taken.port})["another"] != taken.port


def test_postgres_has_vectors_and_needs_a_password(home: Home) -> None:
    port = _start(home, postgres.PostgresPart()).port
    for _ in range(2):
        postgres.make_database(home, port)
    owner = f"postgresql://{postgres.OWNER}:{{}}@{LOOPBACK}:{port}/{postgres.DATABASE}"

    with psycopg.connect(owner.format(postgres.read_passwords(home).owner)) as connection:
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'").fetchone() == (1.0,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(owner.format("a-guess"))
