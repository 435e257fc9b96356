"""`export --tenant … --user … --out FILE`: all that is known of a user, in one archive."""

import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from functions.export.sections import Sources
from functions.export.usecase import export_user
from membus import wiring, wiring_cold, wiring_search
from membus.domain.identity import Owner
from membus.domain.transfer import Manifest
from membus.errors import InvalidError, NotFoundError
from scripts.deployed import become
from scripts.output import Output, Row
from scripts.target import AddGroup, Target


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    export = add_group(
        "export", parents=[options], help="write all that is known of a user into one archive", changes=True,
        examples=["export --tenant acme --user ada --out ada.zip", "export --tenant acme --user a --out a --dry-run"],
        description="One zip of JSON lines: events, facts with their history, conversations, documents and what waits "
        "in quarantine, with a manifest. FILE appears when it is whole.",
    )  # fmt: skip
    export.add_argument("--tenant", required=True)
    export.add_argument("--user", required=True)
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="the archive, e.g. ada.zip")
    export.set_defaults(run=_export)


def _export(arguments: Namespace, target: Target, output: Output) -> None:
    if target.tenants.find(arguments.tenant) is None:
        raise NotFoundError(f"no tenant {arguments.tenant} in {target.environment}")
    out: Path = arguments.out
    if out.exists() and not arguments.dry_run:
        raise InvalidError(f"{out} exists: name another file, or remove it")
    become(target.environment, "memory")
    owner = Owner(tenant=arguments.tenant, user=arguments.user)
    if arguments.dry_run:
        with tempfile.TemporaryFile() as nowhere:
            manifest = _write(owner, nowhere, output)
    else:
        manifest = _keep(owner, out, output)
    output.rows(_told(manifest), nothing="")


def sources() -> Sources:
    """Return where the process's environment says that users' data lies."""
    return Sources(
        episodes=wiring_cold.episode_reader(), facts=wiring.facts(), conversations=wiring.conversations(),
        summaries=wiring.summaries(), documents=wiring_search.documents(), index=wiring_search.memory_index(),
        held_facts=wiring.held_facts(), now=wiring.now,
    )  # fmt: skip


def _keep(owner: Owner, out: Path, output: Output) -> Manifest:
    """Write beside the file and put it there once it is whole; nobody but the operator reads it."""
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}-", delete=False) as file:
        part = Path(file.name)
        try:
            manifest = _write(owner, file, output)
        except BaseException:
            part.unlink()
            raise
    part.rename(out)
    return manifest


def _write(owner: Owner, file: IO[bytes], output: Output) -> Manifest:
    counts: Counter[str] = Counter()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=output.progress(), transient=True, disable=output.as_json) as progress:
        task = progress.add_task("export", total=None)

        def on_row(name: str) -> None:
            counts[name] += 1
            progress.update(task, description=f"{name} {counts[name]:,}")

        return export_user(owner, sources=sources(), file=file, created_at=datetime.now(UTC), on_row=on_row)


def _told(manifest: Manifest) -> list[Row]:
    return [
        {"file": name, "rows": str(each.rows), "bytes": str(each.bytes), "sha256": each.sha256}
        for name, each in manifest.files.items()
    ]
