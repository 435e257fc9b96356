"""Do an export job.

Part after part, each written down before the next, put together at the end, then forget whose.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from functions.export.archive import ZipPart
from functions.export.sections import ExportSources
from functions.export.usecase import write_part
from membus import __version__
from membus.domain import transfer
from membus.domain.identity import Owner
from membus.domain.transfer import Export, ExportCursor, FileEntry, FilePiece, Manifest, StoredPart
from membus.errors import ConflictError, NotFoundError
from membus.ports.clock import Clock
from membus.ports.transfer import ExportFiles, ExportJobs

SECONDS_MIN = 300
"""No part is begun with less time left.

It is as much as is read in a minute, and has to be read anew otherwise.
"""
ATTEMPTS_MAX = 5
"""An upload is lost once in a great while; one that is lost each time is somebody's to look at."""


@dataclass(frozen=True)
class Exporter:
    """`show` lets a user's data be read.

    It is asked before each part and again before the archive is there.
    """

    sources: ExportSources
    exports: ExportJobs
    archives: ExportFiles
    show: Callable[[Owner], None]
    clock: Clock
    seconds_left: Callable[[], float]

    def advance(self, export: Export) -> Export:
        """Go on with a job as long as there is time.

        Return it as far as it came, one that has ended as it is.

        Raises:
            ConflictError: somebody else goes on with it.
            UnavailableError: a store is away; what is written stays, and the same job may be advanced again.
        """
        while export.status == "running" and self.seconds_left() > SECONDS_MIN:
            export = self._step(export, Owner(tenant=export.tenant, user=str(export.user)))
        return export

    def _step(self, export: Export, owner: Owner) -> Export:
        try:
            self.show(owner)
            if export.upload is None and not export.dry_run:
                return self.exports.advance(
                    export.model_copy(update={"upload": self.archives.begin(export.place)})
                )
            return self._part(export, owner)
        except NotFoundError as gone:
            return self._failed(export, gone.detail)

    def _part(self, export: Export, owner: Owner) -> Export:
        part = ZipPart(export.bytes)
        following = write_part(owner, export.at, part, sources=self.sources)
        data = part.more() if following else self._last(export, owner, part)
        further = export.model_copy(
            update={
                "parts": export.parts + 1,
                "bytes": export.bytes + len(data),
                "at": following or export.at,
                "rows": _count_rows(export.rows, part.pieces),
            }
        )
        try:
            kept = None if export.dry_run else self._kept(further, data, owner, ends=following is None)
        except ConflictError as lost:
            return self._anew(export, lost)
        if following is None:
            return self._ended(further, status="done")
        return self.exports.advance(
            further, transfer.ExportPart(number=further.parts, kept=kept, pieces=tuple(part.pieces))
        )

    def _last(self, export: Export, owner: Owner, part: ZipPart) -> bytes:
        before = [piece for each in self.exports.parts(export) for piece in each.pieces]
        return part.last(manifest(export, owner, [*before, *part.pieces]), before)

    def _kept(self, export: Export, data: bytes, owner: Owner, *, ends: bool) -> StoredPart:
        kept = self.archives.add(export.place, str(export.upload), export.parts, data)
        if ends:
            self.show(owner)
            parts = [part.kept for part in self.exports.parts(export) if part.kept]
            self.archives.finish(export.place, str(export.upload), [*parts, kept])
        return kept

    def _anew(self, export: Export, lost: ConflictError) -> Export:
        """Begin again: the parts that were written are gone, or somebody else's."""
        if export.attempt == ATTEMPTS_MAX:
            return self._failed(export, lost.detail)
        begun: dict[str, object] = {
            "attempt": export.attempt + 1,
            "upload": None,
            "parts": 0,
            "bytes": 0,
            "rows": {},
            "at": ExportCursor(),
        }
        again = self.exports.advance(export.model_copy(update=begun))
        self.archives.abandon(export.place, str(export.upload))
        return again

    def _failed(self, export: Export, reason: str) -> Export:
        if export.upload:
            self.archives.abandon(export.place, export.upload)
        return self._ended(export, status="failed", reason=reason)

    def _ended(self, export: Export, **changes: object) -> Export:
        forgotten = {"user": None, "ended_at": self.clock(), "upload": None, "at": ExportCursor()}
        return self.exports.advance(export.model_copy(update=changes | forgotten))


def manifest(export: Export, owner: Owner, pieces: Iterable[FilePiece]) -> Manifest:
    entries = {
        piece.name: FileEntry(**piece.model_dump(include=set(FileEntry.model_fields))) for piece in pieces
    }
    return Manifest(
        membus=__version__,
        tenant=owner.tenant,
        user=owner.user,
        created_at=export.requested_at,
        files={name: entries[name] for name in sorted(entries, key=_order)},
    )


def _order(name: str) -> tuple[str, int]:
    return transfer.section_of(name), transfer.number_of(name)


def _count_rows(rows: dict[str, int], pieces: Iterable[FilePiece]) -> dict[str, int]:
    added = dict(rows)
    for piece in pieces:
        section = transfer.section_of(piece.name)
        added[section] = added.get(section, 0) + piece.rows
    return added
