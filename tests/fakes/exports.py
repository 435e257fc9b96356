"""Export jobs and archives in dictionaries."""

import hashlib
from collections.abc import Sequence
from typing import IO

from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.transfer.model import FILE_LIFETIME, Export, ExportPart, StoredPart


class InMemoryExportJobs:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.jobs: dict[tuple[str, str], Export] = {}
        self._parts: dict[tuple[str, str, int], dict[int, ExportPart]] = {}

    def start_export(self, export: Export) -> Export:
        return self.jobs.setdefault((export.tenant, export.job_id), export)

    def get_export(self, tenant: str, job_id: str) -> Export:
        found = self.jobs.get((tenant, job_id))
        if found is None or (found.ended_at or found.requested_at) + FILE_LIFETIME <= self._clock():
            raise NotFoundError("no such job")
        return found

    def save_progress(self, export: Export, part: ExportPart | None = None) -> Export:
        if self.jobs[export.tenant, export.job_id].revision != export.revision:
            raise ConflictError("lost a race while going on with an export")
        if part:
            self._parts.setdefault(_attempt(export), {})[part.number] = part
        further = export.model_copy(update={"revision": export.revision + 1})
        self.jobs[export.tenant, export.job_id] = further
        return further

    def list_parts(self, export: Export) -> list[ExportPart]:
        kept = self._parts.get(_attempt(export), {})
        return [kept[number] for number in sorted(kept)]


class InMemoryExportFiles:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.uploads: dict[tuple[str, str], dict[int, bytes]] = {}
        self.away = False
        self._begun = 0

    def start_upload(self, place: str) -> str:
        self._answer()
        self._begun += 1
        self.uploads[place, str(self._begun)] = {}
        return str(self._begun)

    def add_part(self, place: str, upload: str, number: int, data: bytes) -> StoredPart:
        self._answer()
        self._parts(place, upload)[number] = data
        return StoredPart(etag=_etag(data))

    def complete_upload(self, place: str, upload: str, parts: Sequence[StoredPart]) -> None:
        self._answer()
        kept = self._parts(place, upload)
        if [StoredPart(etag=_etag(kept[number])) for number in sorted(kept)][: len(parts)] != list(parts):
            raise ConflictError("the archive's parts are others")
        self.kept[place] = b"".join(kept[number] for number in range(1, len(parts) + 1))
        del self.uploads[place, upload]

    def abort_upload(self, place: str, upload: str) -> None:
        self._answer()
        self.uploads.pop((place, upload), None)

    def download_file(self, place: str, into: IO[bytes]) -> None:
        if place not in self.kept:
            raise NotFoundError("the archive is gone")
        into.write(self.kept[place])

    def create_link(self, place: str, *, seconds: int) -> str:
        return f"https://archives.example/{place}?seconds={seconds}"

    def _answer(self) -> None:
        if self.away:
            raise UnavailableError("the archives are away")

    def _parts(self, place: str, upload: str) -> dict[int, bytes]:
        if (place, upload) not in self.uploads:
            raise ConflictError("the archive's parts are gone")
        return self.uploads[place, upload]


def _attempt(export: Export) -> tuple[str, str, int]:
    return export.tenant, export.job_id, export.attempt


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
