"""Write all that is known of one user into one archive, as much of it at a time as makes a part.

Do an export job.

Part after part, each written down before the next, put together at the end, then forget whose.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.export import sections
from functions.export.sections import ExportSources, Row, RowChunk, conversations
from functions.export.zip_part import ZipPart
from membus import __version__
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.core.pages import After
from membus.transfer import model
from membus.transfer.model import SECTIONS, Export, ExportCursor, FileEntry, FilePiece, Manifest, StoredPart
from membus.transfer.ports import ExportFiles, ExportJobs

if TYPE_CHECKING:
    from membus.states.model import AgentSession
WRITERS: dict[str, Callable[[Owner, ExportSources, After], Iterator[RowChunk]]] = {
    model.EVENTS: sections.events,
    model.FACTS: sections.facts,
    model.CONVERSATIONS: conversations,
    model.DOCUMENTS: sections.documents,
    model.QUARANTINE: sections.quarantine,
}


def write_part(
    owner: Owner, place: ExportCursor, part: ZipPart, *, sources: ExportSources
) -> ExportCursor | None:
    """Write what comes at a place until the part is full; return where the next one goes on, None at the end.

    It reads while others write: each line is as it was when it was read. The same state gives the same bytes.
    Of a user nobody has heard of every file is empty.
    """
    following: ExportCursor | None = place
    while following is not None and not part.is_full:
        following = _write_piece(owner, following, part, sources)
    return following


def _write_piece(
    owner: Owner, place: ExportCursor, part: ZipPart, sources: ExportSources
) -> ExportCursor | None:
    piece = _PieceRows(part, WRITERS[place.section](owner, sources, place.after))
    part.add(model.piece_name(place.section, place.piece), map(sections.as_line, piece.rows()))
    if place.section == model.EVENTS:
        working = sections.states(owner, piece.sessions, sources)
        part.add(model.piece_name(model.STATES, place.piece), map(sections.as_line, working))
    if piece.after is not None:
        return ExportCursor(section=place.section, piece=place.piece + 1, after=piece.after)
    following = SECTIONS.index(place.section) + 1
    return ExportCursor(section=SECTIONS[following]) if following < len(SECTIONS) else None


@dataclass
class _PieceRows:
    """Rows until the part is full; then `after` says where they ended, and `sessions` which they named."""

    part: ZipPart
    chunks: Iterator[RowChunk]
    after: After = None

    def __post_init__(self) -> None:
        self.sessions: dict[AgentSession, None] = {}

    def rows(self) -> Iterator[Row]:
        for chunk in self.chunks:
            yield from chunk.rows
            self.sessions |= dict.fromkeys(chunk.sessions)
            self.after = chunk.after
            if self.part.is_full:
                return
        self.after = None


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

    def advance_export(self, export: Export) -> Export:
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
                return self.exports.save_progress(
                    export.model_copy(update={"upload": self.archives.start_upload(export.file_key)})
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
        return self.exports.save_progress(
            further, model.ExportPart(number=further.parts, kept=kept, pieces=tuple(part.pieces))
        )

    def _last(self, export: Export, owner: Owner, part: ZipPart) -> bytes:
        before = [piece for each in self.exports.list_parts(export) for piece in each.pieces]
        return part.last(manifest(export, owner, [*before, *part.pieces]), before)

    def _kept(self, export: Export, data: bytes, owner: Owner, *, ends: bool) -> StoredPart:
        kept = self.archives.add_part(export.file_key, str(export.upload), export.parts, data)
        if ends:
            self.show(owner)
            parts = [part.kept for part in self.exports.list_parts(export) if part.kept]
            self.archives.complete_upload(export.file_key, str(export.upload), [*parts, kept])
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
        again = self.exports.save_progress(export.model_copy(update=begun))
        self.archives.abort_upload(export.file_key, str(export.upload))
        return again

    def _failed(self, export: Export, reason: str) -> Export:
        if export.upload:
            self.archives.abort_upload(export.file_key, export.upload)
        return self._ended(export, status="failed", reason=reason)

    def _ended(self, export: Export, **changes: object) -> Export:
        forgotten = {"user": None, "ended_at": self.clock(), "upload": None, "at": ExportCursor()}
        return self.exports.save_progress(export.model_copy(update=changes | forgotten))


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
    return model.section_of(name), model.number_of(name)


def _count_rows(rows: dict[str, int], pieces: Iterable[FilePiece]) -> dict[str, int]:
    added = dict(rows)
    for piece in pieces:
        section = model.section_of(piece.name)
        added[section] = added.get(section, 0) + piece.rows
    return added
