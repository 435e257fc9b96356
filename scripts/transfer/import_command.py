"""`import --tenant … --from … FILE`.

Another system's memory, or an archive of our own, as events like all others.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from membus.core.errors import InvalidError
from membus.core.event import RecordedEvent
from membus.events.ports import HistoricalEventBus
from scripts.command import ExitCode, parse_moment, require_confirmation
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.target import AddGroup, Target, open_container
from scripts.transfer.formats import FORMATS
from scripts.transfer.mapping import EventMapper, current_time, parse_owner, read_user_map
from scripts.transfer.restoration import ArchiveRestorer, RestoreStores, describe_row
from scripts.transfer.rows import ArchiveRow, ImportableEvent, ImportRow, RejectedRow

BATCH = 100
SHOWN_PROBLEMS = 50
"""Problems that are told one by one; the others are counted."""


@dataclass
class ImportReport:
    """What became of a file.

    Events by type, what came back as it was, what was left out and why, and what is bad.
    """

    events: Counter[str] = field(default_factory=Counter)
    restored: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    bad: list[RejectedRow] = field(default_factory=list)

    def to_rows(self) -> list[Row]:
        counted = [("event", what, number) for what, number in sorted(self.events.items())]
        counted += [("restored", what, number) for what, number in sorted(self.restored.items()) if number]
        counted += [("left out", why, number) for why, number in sorted(self.left_out.items())]
        rows: list[Row] = [
            {"what": what, "which": which, "count": str(number)} for what, which, number in counted
        ]
        rows += [
            {"what": "bad", "which": f"{each.where}: {each.why}", "count": "1"}
            for each in self.bad[:SHOWN_PROBLEMS]
        ]
        more = len(self.bad) - SHOWN_PROBLEMS
        return rows + ([{"what": "bad", "which": "…and others", "count": str(more)}] if more > 0 else [])


@dataclass(frozen=True)
class ImportTargets:
    """Where an import goes: events to the bus, what else an archive holds to the stores."""

    history: HistoricalEventBus
    stores: RestoreStores


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    importing = add_group(
        "import",
        parents=[options],
        help="bring an archive, or what another memory exported, as events",
        asks=True,
        examples=[
            "import ada.zip --tenant acme --from membus --user ada-2 --dry-run",
            "import memories.json --tenant acme --from mem0 --map users.json --yes",
        ],
        description="Each record becomes an event whose id follows from the record's: importing a file again, or one "
        "that was cut off, changes nothing that is there. Facts are derived from these events as from all others. "
        "Conversations, documents and states of an archive come back as they were.",
    )
    importing.add_argument("file", type=Path, metavar="FILE")
    importing.add_argument("--tenant", required=True)
    importing.add_argument(
        "--from", dest="source", choices=sorted(FORMATS), required=True, help="who wrote the file"
    )
    whose = importing.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", help="whose memory it becomes, all of it")
    whose.add_argument(
        "--map", type=Path, metavar="JSON", help='users by their names in the file: {"u-17": "ada"}'
    )
    importing.add_argument(
        "--at", type=parse_moment, help="the moment of records that name none (default: they are bad)"
    )
    importing.add_argument("--strict", action="store_true", help="send nothing where one record is bad")
    importing.set_defaults(run=_import)


def _import(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    target.get_tenant(arguments.tenant)
    if not arguments.file.is_file():
        raise InvalidError(f"{arguments.file} is not there")
    if arguments.strict or arguments.dry_run:
        found = run_import(arguments, None, output)
        if arguments.dry_run:
            return _print_report(found, output)
        if found.bad:
            _print_report(found, output)
            raise InvalidError(f"{len(found.bad)} records cannot be taken, so nothing was sent")
    require_confirmation(
        arguments,
        f"Send what {arguments.file} holds to {arguments.tenant}? What its users said is read by a model.",
    )
    targets = _import_targets(open_container(target.environment, "api"))
    return _print_report(run_import(arguments, targets, output), output)


def _import_targets(container: OperatorContainer) -> ImportTargets:
    stores = RestoreStores(
        documents=container.search.documents,
        conversations=container.conversations.store,
        restored=container.restored_conversations,
        states=container.states,
        contents=container.blobs,
        is_erased=container.erasure.guard.is_erased,
    )
    return ImportTargets(container.historical_bus, stores)


def run_import(arguments: Namespace, places: ImportTargets | None, output: Output) -> ImportReport:
    """Read the file, hand its events to the bus and bring back what else it holds.

    Without places only count.
    """
    destination = _event_mapper(arguments)
    imported = ImportReport()
    restoring = (
        ArchiveRestorer(arguments.tenant, destination.map_user, places.stores, current_time())
        if places
        else None
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(
        *columns, console=output.progress_console(), transient=True, disable=output.is_quiet
    ) as progress:
        task = progress.add_task("import", total=None)
        events = _events(FORMATS[arguments.source](arguments.file), destination, restoring, imported)
        while batch := list(islice(events, BATCH)):
            send_batch(batch, places.history if places else None, imported)
            progress.update(
                task, description=f"{imported.events.total():,} events, {len(imported.bad):,} bad"
            )
    return imported


def send_batch(
    batch: list[tuple[str, RecordedEvent]], history: HistoricalEventBus | None, imported: ImportReport
) -> None:
    """Count what the bus took.

    What it did not take is a bad record of this run, and sent again by the next.
    """
    refused = history.republish_events([event for _, event in batch]) if history else {}
    for place, (where, recorded) in enumerate(batch):
        if place in refused:
            imported.bad.append(
                RejectedRow(where, f"the bus did not take it ({refused[place]}): import the file again")
            )
        else:
            imported.events[recorded.event.type] += 1


def _events(
    reads: Iterable[ImportRow],
    destination: EventMapper,
    restoring: ArchiveRestorer | None,
    imported: ImportReport,
) -> Iterator[tuple[str, RecordedEvent]]:
    """Yield what becomes an event; what else there is is brought back, left out or bad."""
    for read in reads:
        event = destination.map_event(read) if isinstance(read, ImportableEvent) else read
        if isinstance(event, RecordedEvent):
            yield read.where, event
        elif isinstance(event, ArchiveRow):
            _restore_row(event, destination, restoring, imported)
        elif isinstance(event, RejectedRow):
            imported.bad.append(event)
        else:
            imported.left_out[event.why] += 1
    if restoring:
        restoring.restore_remaining()
        imported.restored.update(restoring.restored)
        imported.left_out.update(restoring.left_out)


def _restore_row(
    carried: ArchiveRow, destination: EventMapper, restoring: ArchiveRestorer | None, imported: ImportReport
) -> None:
    owner = destination.map_owner(carried)
    if isinstance(owner, RejectedRow):
        imported.bad.append(owner)
    elif restoring is None:
        imported.restored[describe_row(carried)] += 1
    elif bad := restoring.restore_row(carried, owner):
        imported.bad.append(bad)


def _event_mapper(arguments: Namespace) -> EventMapper:
    users = read_user_map(arguments.map) if arguments.map else None
    user = None if users is not None else parse_owner(arguments.tenant, arguments.user).user
    return EventMapper(
        arguments.tenant, arguments.source, current_time(), user=user, users=users, at=arguments.at
    )


def _print_report(imported: ImportReport, output: Output) -> ExitCode:
    output.print_rows(imported.to_rows(), nothing="The file holds nothing.")
    return ExitCode.PARTLY if imported.bad else ExitCode.DONE
