"""`tier status|run|compact|verify|reconcile|restore|report`.

The cold tier, looked at and worked on by hand.

The deployed archiver, asked by an operator.

Again and again until a task is done, telling how far it has come.
"""

import json
import shlex
from argparse import ArgumentParser, Namespace
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.progress import track

from membus.aws.clients import aws_client
from membus.core.errors import CorruptArchiveError, InvalidError, MembusError, NotFoundError, UnavailableError
from membus.episodes.archive.model import ArchiveObject
from scripts.command import ExitCode, parse_day
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.target import AddGroup, Target, open_container
from scripts.tier.reconciliation import ReconciliationLine, reconcile
from scripts.tier.report import render_page

RUN_SECONDS = 890
"""An archiver may work for a quarter of an hour before it answers."""
ArchiverTask = dict[str, Any]
ArchiverResult = dict[str, Any]


def run_task(
    target: Target, asked: Iterable[ArchiverTask], *, told: Callable[[ArchiverResult], None]
) -> ArchiverResult:
    """Let the archiver do each thing until it says that it is finished; return what was done in all.

    `told` hears of every answer: what was done so far, and the cursor where there is one.

    Raises:
        UnavailableError: it answers that it did nothing and has not finished, so it never would.
    """
    total: ArchiverResult = {"episodes": 0, "objects": 0, "bytes": 0, "problems": []}
    for each in asked:
        unfinished, after = True, each.get("after", "")
        while unfinished:
            answer = _invoke(target, each | {"after": after} if after else each)
            for name in ("episodes", "objects", "bytes"):
                total[name] += answer[name]
            total["problems"] += [
                problem for problem in answer["problems"] if problem not in total["problems"]
            ]
            told(total | {"cursor": answer["cursor"]})
            unfinished = answer["unfinished"]
            if unfinished and each.get("dry_run") and not answer["cursor"]:
                Output.print_remark("there is more than was counted in the archiver's time")
                break
            if unfinished and not answer["objects"] and answer["cursor"] in {"", after}:
                raise UnavailableError("the archiver finds no time for the next step: its log says why")
            after = answer["cursor"] or after
    return total


def run_resumable(
    target: Target, asked: ArchiverTask, *, told: Callable[[ArchiverResult], None]
) -> ArchiverResult:
    """Do one thing that has a cursor; whoever is interrupted is told how to go on from there."""
    place = asked["after"]

    def heard(answer: ArchiverResult) -> None:
        nonlocal place
        place = answer["cursor"] or place
        told(answer)

    try:
        return run_task(target, [asked], told=heard)
    except (KeyboardInterrupt, BotoCoreError, ClientError, MembusError):
        if place:
            Output.print_remark(f"everything up to {place} is done: go on with --after {shlex.quote(place)}")
        raise


def report_progress(total: ArchiverResult, output: Output, *, deed: str, damaged: bool = False) -> ExitCode:
    """Print what was done; problems are told with it, and in the exit code: they want a look."""
    counted = {name: str(total[name]) for name in ("episodes", "objects", "bytes")}
    output.print_rows(
        [{"done": deed, **counted, "problems": [str(each) for each in total["problems"]]}], nothing=""
    )
    if not total["problems"]:
        return ExitCode.DONE
    output.print_remark(
        f"{len(total['problems'])} problems, see docs/runbooks/archive.md: {total['problems'][0]}"
    )
    return ExitCode.REFUSED if damaged else ExitCode.PARTLY


def _invoke(target: Target, asked: ArchiverTask) -> ArchiverResult:
    answer = aws_client("lambda", attempts=1, read_timeout_seconds=RUN_SECONDS).invoke(
        FunctionName=f"membus-{target.environment}-archive", Payload=json.dumps(asked)
    )
    found: ArchiverResult = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise InvalidError(f"the archiver refused: {found.get('errorMessage', 'no reason given')}")
    return found


SHARDS = 16
STEP_SECONDS = 30
"""How long the archiver works on a tenant's objects before it says how far it has come."""
EXAMPLES = {
    "status": "--tenant acme",
    "run": "--quiet-days 0 --dry-run",
    "compact": "--tenant acme --environment prod",
    "verify": "--tenant acme --json",
    "reconcile": "--tenant acme --environment prod",
    "restore": "--tenant acme --agent guide --since 2026-01-01 --dry-run",
    "report": "--tenant acme --html tiers.html",
}
Act = Callable[[Namespace, Target, Output], ExitCode | None]
WOULD = {"asked for": "would be asked for", "brought back": "would be brought back"}


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    commands = add_group(
        "tier", help="the cold tier: archive, compact, verify, restore, report"
    ).add_subparsers(required=True)

    def command(
        name: str, act: Act, summary: str, *, tenant: bool = True, changes: bool = False
    ) -> ArgumentParser:
        example = f"tier {name} {EXAMPLES[name]}"
        made: ArgumentParser = commands.add_parser(
            name, parents=[options], help=summary, changes=changes, examples=[example]
        )
        if tenant:
            made.add_argument("--tenant", required=True)
        made.set_defaults(run=act)
        return made

    command("status", _status, "what a tenant has in the archive, by agent")
    run = command("run", _run, "archive what waits, now", tenant=False, changes=True)
    run.add_argument("--quiet-days", type=int, help="0 takes today's episodes, too (default: as deployed)")
    compact = command("compact", _compact, "merge a tenant's small objects", changes=True)
    verify = command("verify", _verify, "read a tenant's objects and compare them with the catalog")
    for resumed in (compact, verify):
        resumed.add_argument(
            "--after", default="", metavar="PLACE", help="go on where an interrupted run says it was"
        )
    command("reconcile", _reconcile, "whether hot + cold is all that was recorded, by agent and day")
    restore = command(
        "restore", _restore, "bring objects back: from slow classes, or from the version before", changes=True
    )
    restore.add_argument("--agent", help="only this agent's")
    restore.add_argument("--since", type=parse_day, help="only what may hold this day or later")
    restore.add_argument(
        "--days", type=int, default=7, help="how long they stay readable (default: %(default)s)"
    )
    report = command("report", _report, "a page with volume and cost by tier over time")
    report.add_argument("--html", type=Path, required=True, metavar="FILE")


def _status(arguments: Namespace, target: Target, output: Output) -> None:
    objects = _catalog(arguments, target)
    agents = sorted({each.agent for each in objects})
    output.print_rows(
        [_summary(agent, [each for each in objects if each.agent == agent]) for agent in agents],
        nothing=f"Nothing of {arguments.tenant} is in the archive yet: `tier run` archives what waits.",
    )


def _summary(agent: str, objects: list[ArchiveObject]) -> Row:
    return {
        "agent": agent,
        "objects": str(len(objects)),
        "episodes": str(sum(each.rows for each in objects)),
        "bytes": str(sum(each.bytes for each in objects)),
        "from": f"{min(each.day for each in objects)}",
        "to": f"{max(each.day for each in objects)}",
    }


def _run(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    asked: ArchiverTask = {"task": "archive", "dry_run": arguments.dry_run}
    if arguments.quiet_days is not None:
        asked["quiet_days"] = arguments.quiet_days
    with output.progress_bar() as bar:
        shards = bar.track(range(SHARDS), description="shards")
        total = run_task(target, ({**asked, "shards": [shard]} for shard in shards), told=lambda _: None)
    return report_progress(total, output, deed="would archive" if arguments.dry_run else "archived")


def _compact(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    asked = {"task": "compact", "dry_run": arguments.dry_run}
    places = sorted({each.month.sort_key for each in _catalog(arguments, target)})
    total = _walked(asked, places, arguments, target, output)
    return report_progress(total, output, deed="would merge" if arguments.dry_run else "merged")


def _verify(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    places = sorted(each.sort_key for each in _catalog(arguments, target))
    return report_progress(
        _walked({"task": "verify"}, places, arguments, target, output), output, deed="verified", damaged=True
    )


def _walked(
    asked: ArchiverTask, places: Sequence[str], arguments: Namespace, target: Target, output: Output
) -> ArchiverResult:
    """Let the archiver go through all places, half a minute at a time, so that the bar moves."""
    asked |= {"tenant": arguments.tenant, "after": arguments.after, "seconds": STEP_SECONDS}
    with output.progress_bar() as bar:
        task = bar.add_task(
            arguments.tenant, total=len(places), completed=bisect_right(places, arguments.after)
        )
        return run_resumable(
            target,
            asked,
            told=lambda answer: bar.update(task, completed=bisect_right(places, answer["cursor"])),
        )


def _reconcile(arguments: Namespace, target: Target, output: Output) -> None:
    container = _container(arguments, target)
    lines = reconcile(
        arguments.tenant,
        recorded=container.recorded_events,
        catalog=container.episodes.catalog,
        event_ids=container.list_event_ids,
        watch=lambda things, named: track(things, named, console=output.progress_console(), transient=True),
    )
    output.print_rows(
        [_line(arguments.tenant, each) for each in lines],
        nothing=f"Nothing was recorded for {arguments.tenant}.",
    )
    if unsound := [each for each in lines if not each.found.is_sound]:
        raise InvalidError(f"{len(unsound)} of {len(lines)} days do not add up", code="not_reconciled")


def _line(tenant: str, line: ReconciliationLine) -> Row:
    found = line.found
    counted = {
        "recorded": found.recorded,
        "hot": found.hot,
        "waiting": found.waiting,
        "cold": found.cold,
        "missing": found.missing_ids,
        "unvouched": found.unprotected_ids,
        "unknown": found.unknown_ids,
    }
    return {
        "tenant": tenant,
        "agent": line.agent,
        "day": f"{line.day}",
        **{name: str(len(ids)) for name, ids in counted.items()},
    }


def _restore(arguments: Namespace, target: Target, output: Output) -> None:
    container = _container(arguments, target)
    objects = container.episodes.catalog.list_objects(
        arguments.tenant, arguments.agent, since=arguments.since
    )
    versions = container.archive_versions
    rows: list[Row] = []
    for kept in track(objects, "objects", console=output.progress_console(), transient=True):
        state = versions.restore_object(kept, days=arguments.days, dry_run=arguments.dry_run)
        rows.append(
            {"object": kept.object_key, "state": WOULD.get(state, state) if arguments.dry_run else state}
        )
    output.print_rows(
        [row for row in rows if row["state"] != "at hand"], nothing=f"All {len(rows)} objects are at hand."
    )
    if lost := [row for row in rows if row["state"] == "lost"]:
        raise CorruptArchiveError(
            "has no good version left; nor have those above", key=str(lost[0]["object"])
        )


def _report(arguments: Namespace, target: Target, output: Output) -> None:
    objects = _catalog(arguments, target)
    arguments.html.write_text(render_page(arguments.tenant, objects, today=date.today()), encoding="utf-8")  # noqa: DTZ011 - the operator's day
    output.print_answer(str(arguments.html), {"file": str(arguments.html)}, remark=f"{len(objects)} objects")


def _catalog(arguments: Namespace, target: Target) -> list[ArchiveObject]:
    return _container(arguments, target).episodes.catalog.list_objects(arguments.tenant)


def _container(arguments: Namespace, target: Target) -> OperatorContainer:
    """Return the parts of the archiver; raises NotFoundError where there is no such tenant."""
    if target.tenants.find_tenant(arguments.tenant) is None:
        raise NotFoundError(f"no tenant {arguments.tenant} in {target.environment}")
    return open_container(target.environment, "archive")
