"""Export jobs and archives in dictionaries."""

from typing import IO

from membus.domain.transfer import KEPT, Export
from membus.errors import NotFoundError, UnavailableError
from membus.ports.clock import Clock


class InMemoryExports:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.jobs: dict[tuple[str, str], Export] = {}

    def begin(self, export: Export) -> Export:
        return self.jobs.setdefault((export.tenant, export.job_id), export)

    def export(self, tenant: str, job_id: str) -> Export:
        found = self.jobs.get((tenant, job_id))
        if found is None or (found.ended_at or found.requested_at) + KEPT <= self._clock():
            raise NotFoundError("no such job")
        return found

    def end(self, export: Export) -> None:
        self.jobs[export.tenant, export.job_id] = export


class InMemoryArchives:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.away = False

    def keep(self, place: str, file: IO[bytes]) -> None:
        if self.away:
            raise UnavailableError("the archives are away")
        file.seek(0)
        self.kept[place] = file.read()

    def fetch(self, place: str, into: IO[bytes]) -> None:
        if place not in self.kept:
            raise NotFoundError("the archive is gone")
        into.write(self.kept[place])

    def link(self, place: str, *, seconds: int) -> str:
        return f"https://archives.example/{place}?seconds={seconds}"
