"""Starts and stops the parts of one home, and records which processes they are."""

import threading
import time
from collections.abc import Mapping

from pydantic import BaseModel

from localstack import parts, processes
from localstack.home import REPOSITORY, Home, StackError
from localstack.parts import EmulatorPart, ModelServerPart, RedisPart, StackPart
from localstack.postgres import PostgresPart

PARTS: tuple[StackPart, ...] = (EmulatorPart(), ModelServerPart(), RedisPart(), PostgresPart())
_READY_SECONDS = 60.0
_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.1


class PartRecord(BaseModel, frozen=True):
    process: processes.ProcessRecord
    port: int


class CrashedError(StackError):
    def __init__(self, part: str, home: Home) -> None:
        super().__init__(f"{part} crashed; the end of {home.log_file(part)}:\n{home.read_log_tail(part)}")


def read_record(home: Home, part: StackPart) -> PartRecord | None:
    file = home.record_file(part.name)
    return PartRecord.model_validate_json(file.read_text()) if file.exists() else None


def is_running(home: Home, part: StackPart) -> bool:
    record = read_record(home, part)
    return record is not None and processes.is_alive(record.process)


def choose_ports(home: Home, *, usual: bool) -> dict[str, int]:
    """Return the port of each part: where it runs, else its last one, the usual one or any, if free."""
    ports, missing = {}, {}
    for part in PARTS:
        record = read_record(home, part)
        if record and processes.is_alive(record.process):
            ports[part.name] = record.port
        else:
            missing[part.name] = record.port if record else (part.usual_port if usual else 0)
    return ports | parts.choose_ports(missing)


def start(home: Home, part: StackPart, port: int, env: Mapping[str, str], cancelled: threading.Event) -> None:
    """Start `part` and return once it is ready.

    Raises:
        StackError: it crashed or is not ready in time, with the end of its log; or `cancelled` is set.
    """
    part.prepare_start(home, env)
    process = processes.start(
        part.start_command(home, port),
        env=part.process_environment(home, port),
        cwd=REPOSITORY,
        log=home.log_file(part.name),
        tag=f"{home.root}#{part.name}",
    )
    # Written in one step: `status` and `down` may read at any moment.
    written = home.scratch_folder / f"{part.name}.json"
    written.write_text(PartRecord(process=process, port=port).model_dump_json())
    written.replace(home.record_file(part.name))
    deadline = time.monotonic() + _READY_SECONDS
    while not part.is_ready(home, port):
        if not processes.is_alive(process):
            raise CrashedError(part.name, home)
        if time.monotonic() > deadline:
            raise StackError(
                f"{part.name} did not answer in {_READY_SECONDS:.0f} s:\n{home.read_log_tail(part.name)}"
            )
        if cancelled.wait(_POLL_SECONDS):
            raise StackError(f"{part.name} was not waited for")


def stop(home: Home, part: StackPart) -> bool:
    """Stop `part` with all it spawned, in ten seconds at most; say whether it was recorded."""
    if (record := read_record(home, part)) is None:
        return False
    processes.stop(record.process, stop_signal=part.stop_signal, grace_seconds=_GRACE_SECONDS)
    home.record_file(part.name).unlink()
    return True
