"""`import`: another system's memory, or an export file of membus, as events like all others."""

from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from membus.core.errors import InvalidError
from membus.core.event import RecordedEvent
from membus.events.ports import HistoricalEventBus
from scripts.command import (
    TENANT,
    ExitCode,
    command,
    one_of,
    option,
    parse_moment,
    require_confirmation,
)
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.target import Target, open_container
from scripts.transfer.formats import FORMATS
from scripts.transfer.mapping import EventMapper, parse_owner, read_user_map
from scripts.transfer.restoration import ArchiveRestorer, RestoreStores, describe_row
from scripts.transfer.rows import ArchiveRow, ImportableEvent, ImportRow, RejectedRow

BATCH = 100
PROBLEMS_SHOWN = 50
"""Problems that are reported one by one; the others are counted."""


@dataclass
class ImportReport:
    """Events by type, what was restored, what was left out and why, and the rejected records."""

    events: Counter[str] = field(default_factory=Counter)
    restored: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    bad: list[RejectedRow] = field(default_factory=list)

    def to_rows(self) -> list[Row]:
        counted = [("event", each, number) for each, number in sorted(self.events.items())]
        counted += [("restored", each, number) for each, number in sorted(self.restored.items()) if number]
        counted += [("left out", reason, number) for reason, number in sorted(self.left_out.items())]
        counted += [("bad", f"{each.where}: {each.why}", 1) for each in self.bad[:PROBLEMS_SHOWN]]
        if (more := len(self.bad) - PROBLEMS_SHOWN) > 0:
            counted.append(("bad", "…and others", more))
        return [{"what": what, "which": which, "count": str(number)} for what, which, number in counted]


@dataclass(frozen=True)
class ImportTargets:
    """Where an import goes: events to the bus, other rows of an export file to the stores."""

    history: HistoricalEventBus
    stores: RestoreStores

    @classmethod
    def from_container(cls, container: OperatorContainer) -> "ImportTargets":
        stores = RestoreStores(
            documents=container.search.documents,
            conversations=container.conversations.store,
            restored=container.restored_conversations,
            states=container.states,
            contents=container.blobs,
            is_erased=container.erasure.guard.is_erased,
        )
        return cls(container.historical_bus, stores)


@command(
    "import",
    "bring an export file, or what another memory system exported, as events",
    option("file", type=Path, metavar="FILE"),
    TENANT,
    option("--from", dest="source", choices=sorted(FORMATS), required=True, help="the system of the file"),
    one_of(
        option("--user", help="the user whose memory it becomes, all of it"),
        option("--map", type=Path, metavar="JSON", help='users by their names in the file: {"u-17": "ada"}'),
        required=True,
    ),
    option("--at", type=parse_moment, help="the time of records without one (default: they are rejected)"),
    option("--strict", action="store_true", help="send nothing if one record is rejected"),
    examples=[
        "import ada.zip --tenant acme --from membus --user ada-2 --dry-run",
        "import memories.json --tenant acme --from mem0 --map users.json --yes",
    ],
    description="Each record becomes an event whose id follows from the record's: importing a file again, "
    "or one that was interrupted, changes nothing that is there. Messages of a user become facts as other "
    "events do; statements of another system are recorded and searchable, and become no facts. "
    "Conversations, documents and states of an export file come back as they were.",
    asks=True,
)
def import_file(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    target.get_tenant(arguments.tenant)
    if not arguments.file.is_file():
        raise InvalidError(f"{arguments.file} is not there")
    if arguments.strict or arguments.dry_run:
        report = run_import(arguments, None, output)
        if report.bad or arguments.dry_run:
            code = _print_report(report, output)
        if arguments.dry_run:
            return code
        if report.bad:
            raise InvalidError(f"{len(report.bad)} records are rejected, so nothing was sent")
    question = (
        f"Send the records of {arguments.file} to {arguments.tenant}? A model reads the messages of users."
    )
    require_confirmation(arguments, question)
    targets = ImportTargets.from_container(open_container(target.environment, "api"))
    return _print_report(run_import(arguments, targets, output), output)


def run_import(arguments: Namespace, targets: ImportTargets | None, output: Output) -> ImportReport:
    """Read the file, send its events to the bus and restore other rows; without targets only count."""
    now, report = datetime.now(UTC), ImportReport()
    mapper = _make_mapper(arguments, now)
    restorer = None
    if targets:
        restorer = ArchiveRestorer(arguments.tenant, mapper.map_user, targets.stores, now, report)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = output.progress_console()
    with Progress(*columns, console=console, transient=True, disable=output.is_quiet) as progress:
        task = progress.add_task("import", total=None)
        events = _read_events(FORMATS[arguments.source](arguments.file), mapper, restorer, report)
        while batch := list(islice(events, BATCH)):
            send_batch(batch, targets.history if targets else None, report)
            counts = f"{report.events.total():,} events, {len(report.bad):,} bad"
            progress.update(task, description=counts)
    return report


def _make_mapper(arguments: Namespace, now: datetime) -> EventMapper:
    users = read_user_map(arguments.map) if arguments.map else None
    user = None if arguments.map else parse_owner(arguments.tenant, arguments.user).user
    return EventMapper(arguments.tenant, arguments.source, now, user=user, users=users, at=arguments.at)


def _read_events(
    rows: Iterable[ImportRow], mapper: EventMapper, restorer: ArchiveRestorer | None, report: ImportReport
) -> Iterator[tuple[str, RecordedEvent]]:
    """Yield the events of rows; other rows are restored, left out or rejected."""
    for row in rows:
        mapped = mapper.map_event(row) if isinstance(row, ImportableEvent) else row
        if isinstance(mapped, RecordedEvent):
            yield row.where, mapped
        elif isinstance(mapped, ArchiveRow):
            _restore_row(mapped, mapper, restorer, report)
        elif isinstance(mapped, RejectedRow):
            report.bad.append(mapped)
        else:
            report.left_out[mapped.why] += 1
    if restorer:
        restorer.finish_conversation()


def _restore_row(
    row: ArchiveRow, mapper: EventMapper, restorer: ArchiveRestorer | None, report: ImportReport
) -> None:
    owner = mapper.map_owner(row)
    if isinstance(owner, RejectedRow):
        report.bad.append(owner)
    elif restorer is None:
        report.restored[describe_row(row)] += 1
    elif rejected := restorer.restore_row(row, owner):
        report.bad.append(rejected)


def send_batch(
    batch: list[tuple[str, RecordedEvent]], history: HistoricalEventBus | None, report: ImportReport
) -> None:
    """Send and count events; one that the bus did not take is rejected, and sent by the next import."""
    refused = history.republish_events([event for _, event in batch]) if history else {}
    for place, (where, recorded) in enumerate(batch):
        if place in refused:
            reason = f"the bus did not take it ({refused[place]}): import the file again"
            report.bad.append(RejectedRow(where, reason))
        else:
            report.events[recorded.event.type] += 1


def _print_report(report: ImportReport, output: Output) -> ExitCode:
    output.print_rows(report.to_rows(), nothing="The file holds no records.")
    return ExitCode.PARTLY if report.bad else ExitCode.DONE
