"""Write all that is known of one user into one archive."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import IO

from functions.export import sections
from functions.export.archive import Archive
from functions.export.sections import Row, Sources
from membus import __version__
from membus.domain import transfer
from membus.domain.identity import Owner
from membus.domain.transfer import Manifest

FILES: dict[str, Callable[[Owner, Sources], Iterator[Row]]] = {
    transfer.EVENTS: sections.events,
    transfer.FACTS: sections.facts,
    transfer.CONVERSATIONS: sections.conversations,
    transfer.DOCUMENTS: sections.documents,
    transfer.QUARANTINE: sections.quarantine,
}


def export_user(
    owner: Owner,
    *,
    sources: Sources,
    file: IO[bytes],
    created_at: datetime,
    on_row: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Write the archive and return its manifest; of a user nobody has heard of every file is empty.

    It reads while others write: each line is as it was when it was read. The same state gives the same bytes, but
    for `created_at`. `on_row` hears the file of each line.
    """
    archive = Archive(file)
    for name, section in FILES.items():
        archive.add(name, _lines(name, section(owner, sources), on_row))
    manifest = Manifest(
        membus=__version__, tenant=owner.tenant, user=owner.user, created_at=created_at, files=archive.files
    )
    archive.close(manifest)
    return manifest


def _lines(name: str, rows: Iterable[Row], on_row: Callable[[str], None]) -> Iterator[str]:
    for row in rows:
        on_row(name)
        yield sections.as_line(row)
