"""Do an export job: write the archive beside, keep it, and forget whose it was."""

import tempfile
from collections.abc import Callable

from functions.export.sections import Sources
from functions.export.usecase import export_user
from membus.domain.identity import Owner
from membus.domain.transfer import Export
from membus.errors import NotFoundError
from membus.ports.clock import Clock
from membus.ports.transfer import Archives, Exports


def run(
    export: Export,
    *,
    sources: Sources,
    exports: Exports,
    archives: Archives,
    show: Callable[[Owner], None],
    clock: Clock,
) -> Export:
    """Return the job as it ended; one that has ended stays as it is, and the archive is made once.

    `show` lets a user's data be read. It is asked again before the archive is kept: a user who is being erased by
    then leaves none behind.

    Raises:
        UnavailableError: a store is away; the job may be run again from its beginning, which makes the same archive.
    """
    if export.user is None or export.status != "running":
        return export
    owner = Owner(tenant=export.tenant, user=export.user)
    try:
        ended = _written(export, owner, sources, archives, show)
    except NotFoundError as gone:
        ended = export.model_copy(update={"status": "failed", "reason": gone.detail})
    ended = ended.model_copy(update={"user": None, "ended_at": clock()})
    exports.end(ended)
    return ended


def _written(
    export: Export, owner: Owner, sources: Sources, archives: Archives, show: Callable[[Owner], None]
) -> Export:
    show(owner)
    with tempfile.TemporaryFile() as file:
        manifest = export_user(owner, sources=sources, file=file, created_at=export.requested_at)
        size = file.seek(0, 2)
        show(owner)
        if not export.dry_run:
            archives.keep(export.place, file)
    rows = {name: entry.rows for name, entry in manifest.files.items()}
    return export.model_copy(update={"status": "done", "rows": rows, "bytes": size})
