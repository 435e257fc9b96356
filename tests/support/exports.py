"""Exports from the stores of a test: the job as the function does it, over archives in memory."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from functions.export.sections import ExportSources
from functions.export.usecase import Exporter
from functions.export.zip_part import PART_BYTES_MIN
from membus.core.erasure import erasure_subject
from membus.core.identity import Owner
from membus.transfer.model import Export
from tests.factories import ADA, NOON
from tests.fakes.clock import StoppedClock
from tests.fakes.crashing import Fuse, Fused
from tests.fakes.exports import InMemoryExportFiles, InMemoryExportJobs


def an_export(owner: Owner = ADA, **fields: object) -> Export:
    subject = erasure_subject(owner.tenant, owner.user)
    named = {"job_id": "export_1", "tenant": owner.tenant, "user": owner.user, "subject": subject}
    return Export.model_validate(named | {"requested_at": NOON, "requested_by": "key1"} | fields)


class ExportSetup:
    """Where one export is asked for and done."""

    def __init__(
        self,
        sources: ExportSources,
        *,
        seconds_left: Callable[[], float] = lambda: 900,
        part_bytes: int = PART_BYTES_MIN,
    ) -> None:
        self.exports: Any = InMemoryExportJobs(StoppedClock())
        self.archives: Any = InMemoryExportFiles()
        self.sources, self.seconds_left, self.part_bytes = sources, seconds_left, part_bytes
        self.show: Callable[[Owner], None] = lambda _: None

    def blow(self, fuse: Fuse) -> None:
        """Put one fuse in front of the jobs and the archives."""
        self.exports, self.archives = (Fused(each, lambda: fuse) for each in (self.exports, self.archives))

    def exporter(self) -> Exporter:
        return Exporter(
            sources=self.sources,
            jobs=self.exports,
            files=self.archives,
            ensure_visible=self.show,
            clock=StoppedClock(),
            seconds_left=self.seconds_left,
            part_bytes=self.part_bytes,
        )

    def run(self, export: Export | None = None) -> Export:
        asked = self.exports.start_export(export or an_export())
        return self.exporter().advance_export(self.exports.get_export(asked.tenant, asked.job_id))


def archived_rows(sources: ExportSources, owner: Owner = ADA, *, created_at: datetime = NOON) -> bytes:
    """Return the archive of all that is known of a user."""
    desk = ExportSetup(sources)
    done = desk.run(an_export(owner, requested_at=created_at))
    kept: bytes = desk.archives.kept[done.file_key]
    return kept
