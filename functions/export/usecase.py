"""An export job: the data of a user is written into one file, part by part, and each part is saved.

At the end the parts become the file and the job forgets the user.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.export import sections
from functions.export.sections import ExportSources, Row, RowChunk
from functions.export.zip_part import PART_BYTES_MIN, ZipPart
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

READERS: dict[str, Callable[[Owner, ExportSources, After], Iterator[RowChunk]]] = {
    model.EVENTS: sections.read_events,
    model.FACTS: sections.read_facts,
    model.CONVERSATIONS: sections.read_conversations,
    model.DOCUMENTS: sections.read_documents,
    model.QUARANTINE: sections.read_review_items,
}
SECONDS_MIN = 300
"""No part is begun with less time left: one that is cut off has to be read again."""
ATTEMPTS_MAX = 5
"""An upload is lost once in a great while; one that is lost each time needs an operator."""


@dataclass(frozen=True)
class Exporter:
    """`ensure_visible` raises NotFoundError once the user is being erased; it is asked with each part."""

    sources: ExportSources
    jobs: ExportJobs
    files: ExportFiles
    ensure_visible: Callable[[Owner], None]
    clock: Clock
    seconds_left: Callable[[], float]
    part_bytes: int = PART_BYTES_MIN

    def advance_export(self, export: Export) -> Export:
        """Return the job as far as it came in the time left; one that has ended is returned as it is.

        Raises:
            ConflictError: another process advanced it.
            UnavailableError: a store is away; what is written stays, and the job may be advanced again.
        """
        while export.status == "running" and self.seconds_left() > SECONDS_MIN:
            export = self._advance_step(export, Owner(tenant=export.tenant, user=str(export.user)))
        return export

    def _advance_step(self, export: Export, owner: Owner) -> Export:
        try:
            self.ensure_visible(owner)
            if export.upload is None and not export.dry_run:
                upload = self.files.start_upload(export.file_key)
                return self.jobs.save_progress(export.model_copy(update={"upload": upload}))
            return self._write_part(export, owner)
        except NotFoundError as gone:
            return self._fail(export, gone.detail)

    def _write_part(self, export: Export, owner: Owner) -> Export:
        part = ZipPart(export.bytes, self.part_bytes)
        following = write_part(owner, export.at, part, sources=self.sources)
        data = part.read_bytes() if following else self._close_file(export, owner, part)
        further = export.model_copy(
            update={
                "parts": export.parts + 1,
                "bytes": export.bytes + len(data),
                "at": following or export.at,
                "rows": _add_rows(export.rows, part.pieces),
            }
        )
        try:
            stored = None if export.dry_run else self._store(further, data, owner, is_last=following is None)
        except ConflictError as lost:
            return self._start_again(export, lost)
        if following is None:
            return self._end(further, status="done")
        saved = model.ExportPart(number=further.parts, kept=stored, pieces=tuple(part.pieces))
        return self.jobs.save_progress(further, saved)

    def _close_file(self, export: Export, owner: Owner, part: ZipPart) -> bytes:
        before = [piece for each in self.jobs.list_parts(export) for piece in each.pieces]
        return part.close_with_manifest(manifest(export, owner, [*before, *part.pieces]), before)

    def _store(self, export: Export, data: bytes, owner: Owner, *, is_last: bool) -> StoredPart:
        stored = self.files.add_part(export.file_key, str(export.upload), export.parts, data)
        if is_last:
            self.ensure_visible(owner)
            parts = [part.kept for part in self.jobs.list_parts(export) if part.kept]
            self.files.complete_upload(export.file_key, str(export.upload), [*parts, stored])
        return stored

    def _start_again(self, export: Export, lost: ConflictError) -> Export:
        """Start a new attempt: the parts that were written are gone, or those of another process."""
        if export.attempt == ATTEMPTS_MAX:
            return self._fail(export, lost.detail)
        changes: dict[str, object] = {
            "attempt": export.attempt + 1,
            "upload": None,
            "parts": 0,
            "bytes": 0,
            "rows": {},
            "at": ExportCursor(),
        }
        again = self.jobs.save_progress(export.model_copy(update=changes))
        self.files.abort_upload(export.file_key, str(export.upload))
        return again

    def _fail(self, export: Export, reason: str) -> Export:
        if export.upload:
            self.files.abort_upload(export.file_key, export.upload)
        return self._end(export, status="failed", reason=reason)

    def _end(self, export: Export, **changes: object) -> Export:
        ended = {"user": None, "ended_at": self.clock(), "upload": None, "at": ExportCursor()}
        return self.jobs.save_progress(export.model_copy(update=changes | ended))


def write_part(
    owner: Owner, cursor: ExportCursor, part: ZipPart, *, sources: ExportSources
) -> ExportCursor | None:
    """Write rows from a cursor on until the part is full; return the next cursor, None at the end.

    Each row is as it was when it was read. The same data gives the same bytes; without data every file is
    empty.
    """
    following: ExportCursor | None = cursor
    while following is not None and not part.is_full:
        following = _write_piece(owner, following, part, sources)
    return following


def _write_piece(
    owner: Owner, cursor: ExportCursor, part: ZipPart, sources: ExportSources
) -> ExportCursor | None:
    piece = _PieceRows(part, READERS[cursor.section](owner, sources, cursor.after))
    part.add_file(model.piece_name(cursor.section, cursor.piece), map(sections.as_line, piece.read()))
    if cursor.section == model.EVENTS:
        states = sections.read_states(owner, piece.sessions, sources)
        part.add_file(model.piece_name(model.STATES, cursor.piece), map(sections.as_line, states))
    if piece.after is not None:
        return ExportCursor(section=cursor.section, piece=cursor.piece + 1, after=piece.after)
    following = SECTIONS.index(cursor.section) + 1
    return ExportCursor(section=SECTIONS[following]) if following < len(SECTIONS) else None


@dataclass
class _PieceRows:
    """The rows that fill the part; then `after` is the last key, and `sessions` are those they named."""

    part: ZipPart
    chunks: Iterator[RowChunk]
    after: After = None

    def __post_init__(self) -> None:
        self.sessions: dict[AgentSession, None] = {}

    def read(self) -> Iterator[Row]:
        for chunk in self.chunks:
            yield from chunk.rows
            self.sessions |= dict.fromkeys(chunk.sessions)
            self.after = chunk.after
            if self.part.is_full:
                return
        self.after = None


def manifest(export: Export, owner: Owner, pieces: Iterable[FilePiece]) -> Manifest:
    def order(name: str) -> tuple[str, int]:
        return model.section_of(name), model.number_of(name)

    entries = {
        piece.name: FileEntry(**piece.model_dump(include=set(FileEntry.model_fields))) for piece in pieces
    }
    return Manifest(
        membus=__version__,
        tenant=owner.tenant,
        user=owner.user,
        created_at=export.requested_at,
        files={name: entries[name] for name in sorted(entries, key=order)},
    )


def _add_rows(rows: dict[str, int], pieces: Iterable[FilePiece]) -> dict[str, int]:
    added = dict(rows)
    for piece in pieces:
        section = model.section_of(piece.name)
        added[section] = added.get(section, 0) + piece.rows
    return added
