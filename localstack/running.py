"""Starts and stops the parts of one home, remembers which processes they are, and names the one that crashed."""

import threading
import time
from collections.abc import Mapping

from pydantic import BaseModel

from localstack import parts, processes
from localstack.home import REPOSITORY, Home, StackError
from localstack.parts import EmulatorPart, ModelServerPart, RedisPart, StackPart
from localstack.postgres import PostgresPart

# In the order in which they stop: the emulator's workers talk to all the others.
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
    """Return a port per part: where it runs, or ran if that port is free still, else the usual one or any."""
    wanted = {part.name: _port_wanted(home, part, usual=usual) for part in PARTS}
    taken = {
        part.name: port for part, port in zip(PARTS, wanted.values(), strict=True) if is_running(home, part)
    }
    return taken | parts.choose_ports({name: port for name, port in wanted.items() if name not in taken})


def _port_wanted(home: Home, part: StackPart, *, usual: bool) -> int:
    if record := read_record(home, part):
        return record.port
    return part.usual_port if usual else 0


def start(home: Home, part: StackPart, port: int, env: Mapping[str, str], cancelled: threading.Event) -> None:
    """Start `part` and return once it answers; raise with the end of its log if it does not come up."""
    part.prepare_start(home, env)
    process = processes.start(
        part.start_command(home, port),
        env=part.process_environment(home, port),
        cwd=REPOSITORY,
        log=home.log_file(part.name),
        tag=f"{home.root}#{part.name}",
    )
    _write(home, part, PartRecord(process=process, port=port))
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
    """Stop what `part` left running, the processes it spawned included.

    Say whether there was a part to stop.
    """
    if (record := read_record(home, part)) is None:
        return False
    processes.stop(record.process, politely=part.stops_on, grace_seconds=_GRACE_SECONDS)
    home.record_file(part.name).unlink()
    return True


def _write(home: Home, part: StackPart, record: PartRecord) -> None:
    """Write in one step: `status` and `down` may read at any moment."""
    fresh = home.scratch_folder / f"{part.name}.json"
    fresh.write_text(record.model_dump_json())
    fresh.replace(home.record_file(part.name))
