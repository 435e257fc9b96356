"""`export`: all data of a user in one export file."""

import getpass
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from membus.core.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from membus.core.identity import Owner
from membus.transfer.model import Export
from membus.transfer.ports import ExportFiles, ExportJobs
from membus.transfer.request import request_export
from scripts.command import TENANT, command, option
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.target import Target, open_container
from scripts.transfer.mapping import parse_owner

WAIT_SECONDS = 3600
"""A job that takes longer continues without the command, which says how to fetch its file."""
POLL_SECONDS = 1.0


@command(
    "export",
    "write all data of a user into one export file",
    TENANT,
    option("--user", required=True),
    option("--out", type=Path, required=True, metavar="FILE", help="the export file, e.g. ada.zip"),
    option("--job", metavar="ID", help="fetch the file of this job, instead of starting one"),
    examples=[
        "export --tenant acme --user ada --out ada.zip",
        "export --tenant acme --user ada --out a --dry-run",
    ],
    description="One zip of JSON lines: events, facts with their history, conversations, documents and the "
    "review queue, with a manifest. The deployed function `export` writes it; FILE appears when it is "
    "whole.",
    changes=True,
)
def export(arguments: Namespace, target: Target, output: Output) -> None:
    target.get_tenant(arguments.tenant)
    out: Path = arguments.out
    if out.exists() and not arguments.dry_run:
        raise InvalidError(f"{out} exists: name another file, or remove it")
    if not out.absolute().parent.is_dir():
        raise InvalidError(f"{out.parent} is not a folder")
    owner = parse_owner(arguments.tenant, arguments.user)
    container = open_container(target.environment, "api")
    job = _wait(_start_job(arguments, owner, container), container.transfer.jobs, output)
    if not any(job.rows.values()):
        raise NotFoundError(f"there is no data of {owner.user} in {owner.tenant}: no file was written")
    if not job.dry_run:
        download(job, out, container.transfer.files)
    rows: list[Row] = [{"file": name, "rows": str(number)} for name, number in job.rows.items()]
    output.print_rows(rows)
    if not job.dry_run:
        output.print_remark(f"wrote {out}, {job.bytes:,} bytes")


@dataclass(frozen=True)
class ExportWaiter:
    """Reads a job until it has ended."""

    exports: ExportJobs
    pause: Callable[[float], None] = time.sleep

    def wait_until_ended(self, export: Export) -> Export:
        """Return the job as it ended.

        Raises:
            ConflictError: it failed for good.
            UnavailableError: it takes longer than an hour.
        """
        for _ in range(int(WAIT_SECONDS / POLL_SECONDS)):
            if export.status == "failed":
                raise ConflictError(f"the export failed: {export.reason}")
            if export.status == "done":
                return export
            self.pause(POLL_SECONDS)
            export = self.exports.get_export(export.tenant, export.job_id)
        raise UnavailableError(f"the export is still being written: fetch it with --job {export.job_id}")


def _wait(export: Export, exports: ExportJobs, output: Output) -> Export:
    """Return the job as it ended; an operator who interrupts the command learns how to fetch the file."""
    with output.progress_bar() as progress:
        progress.add_task(f"job {export.job_id}", total=None)
        try:
            return ExportWaiter(exports).wait_until_ended(export)
        except KeyboardInterrupt:
            output.print_remark(f"the export continues by itself: fetch it with --job {export.job_id}")
            raise


def _start_job(arguments: Namespace, owner: Owner, container: OperatorContainer) -> Export:
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


def download(export: Export, out: Path, files: ExportFiles) -> None:
    """Write the export file, which only the operator may read; it gets its name once it is whole."""
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}-", delete=False) as file:
        part = Path(file.name)
        try:
            files.download_file(export.file_key, file)
        except BaseException:
            part.unlink()
            raise
    part.rename(out)
