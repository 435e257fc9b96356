"""Write all that is known of one user into one archive, as much of it at a time as makes a part."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.export import sections
from functions.export.archive import ZipPart
from functions.export.sections import After, ExportSources, Row, RowChunk
from functions.export.talks import conversations
from membus.domain import transfer
from membus.domain.identity import Owner
from membus.domain.transfer import SECTIONS, ExportCursor

if TYPE_CHECKING:
    from membus.domain.state import AgentSession

WRITERS: dict[str, Callable[[Owner, ExportSources, After], Iterator[RowChunk]]] = {
    transfer.EVENTS: sections.events,
    transfer.FACTS: sections.facts,
    transfer.CONVERSATIONS: conversations,
    transfer.DOCUMENTS: sections.documents,
    transfer.QUARANTINE: sections.quarantine,
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
    part.add(transfer.piece_name(place.section, place.piece), map(sections.as_line, piece.rows()))
    if place.section == transfer.EVENTS:
        working = sections.states(owner, piece.sessions, sources)
        part.add(transfer.piece_name(transfer.STATES, place.piece), map(sections.as_line, working))
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
