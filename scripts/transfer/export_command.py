"""`export --tenant … --user … --out FILE`: all that is known of a user, in one archive."""

import getpass
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from membus.core.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from membus.core.identity import Owner
from membus.transfer.model import Export
from membus.transfer.ports import ExportFiles, ExportJobs
from membus.transfer.request import request_export
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.target import AddGroup, Target, open_container
from scripts.transfer.mapping import parse_owner

PATIENCE_SECONDS = 3600
"""An export that takes longer goes on without the command, which says how to fetch it."""
LOOK_SECONDS = 1.0


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    export = add_group(
        "export",
        parents=[options],
        help="write all that is known of a user into one archive",
        changes=True,
        examples=[
            "export --tenant acme --user ada --out ada.zip",
            "export --tenant acme --user ada --out a --dry-run",
        ],
        description="One zip of JSON lines: events, facts with their history, conversations, documents and what waits "
        "in quarantine, with a manifest. The deployed function `export` writes it; FILE appears when it is whole.",
    )
    export.add_argument("--tenant", required=True)
    export.add_argument("--user", required=True)
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="the archive, e.g. ada.zip")
    export.add_argument(
        "--job", metavar="ID", help="fetch what this job wrote, instead of asking for another"
    )
    export.set_defaults(run=_export)


@dataclass(frozen=True)
class ExportWaiter:
    """Looks after a job until it has ended."""

    exports: ExportJobs
    pause: Callable[[float], None] = time.sleep

    def wait_until_ended(self, export: Export) -> Export:
        """Return the job as it ended.

        Raises:
            ConflictError: it failed for good.
            UnavailableError: it goes on for longer than anybody waits here.
        """
        for _ in range(int(PATIENCE_SECONDS / LOOK_SECONDS)):
            if export.status == "failed":
                raise ConflictError(f"the export failed: {export.reason}")
            if export.status == "done":
                return export
            self.pause(LOOK_SECONDS)
            export = self.exports.get_export(export.tenant, export.job_id)
        raise UnavailableError(f"the export is still being written: fetch it with --job {export.job_id}")


def _export(arguments: Namespace, target: Target, output: Output) -> None:
    target.get_tenant(arguments.tenant)
    if arguments.out.exists() and not arguments.dry_run:
        raise InvalidError(f"{arguments.out} exists: name another file, or remove it")
    if not arguments.out.absolute().parent.is_dir():
        raise InvalidError(f"{arguments.out.parent} is no folder")
    owner = parse_owner(arguments.tenant, arguments.user)
    container = open_container(target.environment, "api")
    ended = _wait(_start_export(arguments, owner, container), container.transfer.jobs, output)
    if not any(ended.rows.values()):
        raise NotFoundError(f"nothing is known of {owner.user} in {owner.tenant}: no file was written")
    if ended.dry_run:
        return output.print_rows(_print_export(ended), nothing="")
    fetch(ended, arguments.out, container.transfer.files)
    output.print_rows(_print_export(ended), nothing="")
    return output.print_remark(f"wrote {arguments.out}, {ended.bytes:,} bytes")


def _wait(export: Export, exports: ExportJobs, output: Output) -> Export:
    """Return the job as it ended; who does not want to wait is told how to come back."""
    with output.progress_bar() as progress:
        progress.add_task(f"job {export.job_id}", total=None)
        try:
            return ExportWaiter(exports).wait_until_ended(export)
        except KeyboardInterrupt:
            output.print_remark(f"the export goes on by itself: fetch it with --job {export.job_id}")
            raise


def _start_export(arguments: Namespace, owner: Owner, container: OperatorContainer) -> Export:
    if arguments.job:
        return container.transfer.jobs.get_export(owner.tenant, arguments.job)
    return request_export(
        owner,
        request_key=None,
        requested_by=getpass.getuser(),
        now=datetime.now(UTC),
        dry_run=arguments.dry_run,
        exports=container.transfer.jobs,
        announcements=container.events.announcements,
    )


def fetch(export: Export, out: Path, archives: ExportFiles) -> None:
    """Write beside the file and put it there once it is whole; nobody but the operator reads it."""
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}-", delete=False) as file:
        part = Path(file.name)
        try:
            archives.download_file(export.file_key, file)
        except BaseException:
            part.unlink()
            raise
    part.rename(out)


def _print_export(export: Export) -> list[Row]:
    return [{"file": name, "rows": str(rows)} for name, rows in export.rows.items()]
