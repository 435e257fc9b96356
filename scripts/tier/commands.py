"""`tier status|run|compact|verify|reconcile|restore|report`: the archive, examined and worked on by hand."""

import shlex
from argparse import Namespace
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from membus.core.errors import CorruptArchiveError, InvalidError, MembusError, UnavailableError
from membus.episodes.archive.model import ArchiveObject
from scripts.command import TENANT, ExitCode, command, option, parse_day
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.target import Target, invoke_function, open_container
from scripts.tier.reconciliation import ReconciliationLine, reconcile
from scripts.tier.report import render_page

RUN_SECONDS = 890
"""The function `archive` may work for a quarter of an hour before it answers."""
SHARDS = 16
STEP_SECONDS = 30
"""How long `archive` works on a tenant's objects before it reports its progress."""
AFTER = option("--after", default="", metavar="PLACE", help="continue where an interrupted run says it was")
ArchiverTask = dict[str, Any]
ArchiverResult = dict[str, Any]
Report = Callable[[ArchiverResult], None]


@command(
    "tier status",
    "what a tenant has in the archive, by agent",
    TENANT,
    examples=["tier status --tenant acme"],
)
def status(arguments: Namespace, target: Target, output: Output) -> None:
    objects = sorted(_list_objects(arguments, target), key=lambda each: each.agent)
    rows = [_summarize(agent, list(found)) for agent, found in groupby(objects, key=lambda each: each.agent)]
    output.print_rows(
        rows,
        nothing=f"Nothing of {arguments.tenant} is in the archive yet: `tier run` archives episodes.",
    )


def _summarize(agent: str, objects: list[ArchiveObject]) -> Row:
    return {
        "agent": agent,
        "objects": str(len(objects)),
        "episodes": str(sum(each.rows for each in objects)),
        "bytes": str(sum(each.bytes for each in objects)),
        "from": f"{min(each.day for each in objects)}",
        "to": f"{max(each.day for each in objects)}",
    }


@command(
    "tier run",
    "archive unarchived episodes now",
    option("--quiet-days", type=int, help="0 takes today's episodes, too (default: as deployed)"),
    examples=["tier run --quiet-days 0 --dry-run"],
    changes=True,
)
def run(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    task: ArchiverTask = {"task": "archive", "dry_run": arguments.dry_run}
    if arguments.quiet_days is not None:
        task["quiet_days"] = arguments.quiet_days
    with output.progress_bar() as bar:
        tasks = ({**task, "shards": [shard]} for shard in bar.track(range(SHARDS), description="shards"))
        total = run_tasks(target, tasks, report=lambda _: None)
    return _print_result(total, output, done="would archive" if arguments.dry_run else "archived")


@command(
    "tier compact",
    "merge a tenant's small objects",
    TENANT,
    AFTER,
    examples=["tier compact --tenant acme --environment prod"],
    changes=True,
)
def compact(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    places = sorted({each.month.sort_key for each in _list_objects(arguments, target)})
    task = {"task": "compact", "dry_run": arguments.dry_run}
    total = _walk(task, places, arguments, target, output)
    return _print_result(total, output, done="would merge" if arguments.dry_run else "merged")


@command(
    "tier verify",
    "read a tenant's objects and compare them with the catalog",
    TENANT,
    AFTER,
    examples=["tier verify --tenant acme --json"],
)
def verify(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    places = sorted(each.sort_key for each in _list_objects(arguments, target))
    total = _walk({"task": "verify"}, places, arguments, target, output)
    return _print_result(total, output, done="verified", damaged=True)


@command(
    "tier reconcile",
    "whether hot and archived episodes are all that was recorded, by agent and day",
    TENANT,
    examples=["tier reconcile --tenant acme --environment prod"],
)
def reconcile_tiers(arguments: Namespace, target: Target, output: Output) -> None:
    container = _open_archive(arguments, target)
    lines = reconcile(
        arguments.tenant,
        recorded=container.recorded_events,
        catalog=container.episodes.catalog,
        event_ids=container.list_event_ids,
        watch=output.track,
    )
    rows = [_line(arguments.tenant, each) for each in lines]
    output.print_rows(rows, nothing=f"No event of {arguments.tenant} was recorded.")
    if unsound := [each for each in lines if not each.found.is_sound]:
        raise InvalidError(f"{len(unsound)} of {len(lines)} days do not add up", code="not_reconciled")


def _line(tenant: str, line: ReconciliationLine) -> Row:
    found = line.found
    counts = {
        "recorded": found.recorded,
        "hot": found.hot,
        "waiting": found.waiting,
        "cold": found.cold,
        "missing": found.missing_ids,
        "unvouched": found.unprotected_ids,
        "unknown": found.unknown_ids,
    }
    counted = {name: str(len(ids)) for name, ids in counts.items()}
    return {"tenant": tenant, "agent": line.agent, "day": f"{line.day}", **counted}


@command(
    "tier restore",
    "bring objects back from slow storage classes, or from the version before",
    TENANT,
    option("--agent", help="only those of this agent"),
    option("--since", type=parse_day, help="only those that may hold this day or a later one"),
    option("--days", type=int, default=7, help="how long they stay readable (default: %(default)s)"),
    examples=["tier restore --tenant acme --agent guide --since 2026-01-01 --dry-run"],
    changes=True,
)
def restore(arguments: Namespace, target: Target, output: Output) -> None:
    container = _open_archive(arguments, target)
    objects = container.episodes.catalog.list_objects(
        arguments.tenant, arguments.agent, since=arguments.since
    )
    rows: list[Row] = []
    for each in output.track(objects, "objects"):
        versions, dry_run = container.archive_versions, arguments.dry_run
        state = versions.restore_object(each, days=arguments.days, dry_run=dry_run)
        is_planned = dry_run and state in {"asked for", "brought back"}
        rows.append({"object": each.object_key, "state": f"would be {state}" if is_planned else state})
    changed = [row for row in rows if row["state"] != "at hand"]
    output.print_rows(changed, nothing=f"All {len(rows)} objects are readable.")
    if lost := [str(row["object"]) for row in rows if row["state"] == "lost"]:
        raise CorruptArchiveError("has no good version left; nor have those above", key=lost[0])


@command(
    "tier report",
    "write a page with volume and cost by tier over time",
    TENANT,
    option("--html", type=Path, required=True, metavar="FILE"),
    examples=["tier report --tenant acme --html tiers.html"],
)
def report(arguments: Namespace, target: Target, output: Output) -> None:
    objects, file = _list_objects(arguments, target), arguments.html
    today = datetime.now(UTC).astimezone().date()
    file.write_text(render_page(arguments.tenant, objects, today=today), encoding="utf-8")
    output.print_answer(str(file), {"file": str(file)}, remark=f"{len(objects)} objects")


def run_tasks(target: Target, tasks: Iterable[ArchiverTask], *, report: Report) -> ArchiverResult:
    """Invoke the function `archive` for each task until it is finished; return what was done in all.

    `report` gets every answer: what was done so far, and the cursor if there is one.

    Raises:
        UnavailableError: a task did nothing and is not finished.
    """
    total: ArchiverResult = {"episodes": 0, "objects": 0, "bytes": 0, "problems": []}
    for task in tasks:
        unfinished, after = True, task.get("after", "")
        while unfinished:
            asked = task | {"after": after} if after else task
            answer = invoke_function(
                target.environment, "archive", asked, read_timeout_seconds=RUN_SECONDS, attempts=1
            )
            for name in ("episodes", "objects", "bytes"):
                total[name] += answer[name]
            total["problems"] += [each for each in answer["problems"] if each not in total["problems"]]
            report(total | {"cursor": answer["cursor"]})
            unfinished = answer["unfinished"]
            if unfinished and task.get("dry_run") and not answer["cursor"]:
                Output.print_remark("there is more than the function could count in its time")
                break
            if unfinished and not answer["objects"] and answer["cursor"] in {"", after}:
                raise UnavailableError("the function `archive` makes no progress: its log says why")
            after = answer["cursor"] or after
    return total


def _walk(
    task: ArchiverTask, places: Sequence[str], arguments: Namespace, target: Target, output: Output
) -> ArchiverResult:
    """Let `archive` go through all places in short steps; an interrupted run says how to continue."""
    task |= {"tenant": arguments.tenant, "after": arguments.after, "seconds": STEP_SECONDS}
    reached: str = arguments.after
    with output.progress_bar() as bar:
        step = bar.add_task(
            arguments.tenant, total=len(places), completed=bisect_right(places, arguments.after)
        )

        def report(answer: ArchiverResult) -> None:
            nonlocal reached
            reached = answer["cursor"] or reached
            bar.update(step, completed=bisect_right(places, answer["cursor"]))

        try:
            return run_tasks(target, [task], report=report)
        except (KeyboardInterrupt, BotoCoreError, ClientError, MembusError):
            if reached:
                after = shlex.quote(reached)
                output.print_remark(f"everything up to {reached} is done: continue with --after {after}")
            raise


def _print_result(total: ArchiverResult, output: Output, *, done: str, damaged: bool = False) -> ExitCode:
    """Print what was done; problems, which need a look, are in the row and in the exit code."""
    problems = [str(each) for each in total["problems"]]
    counts = {name: str(total[name]) for name in ("episodes", "objects", "bytes")}
    output.print_rows([{"done": done, **counts, "problems": problems}])
    if not problems:
        return ExitCode.DONE
    output.print_remark(f"{len(problems)} problems, see docs/runbooks/archive.md: {problems[0]}")
    return ExitCode.REFUSED if damaged else ExitCode.PARTLY


def _list_objects(arguments: Namespace, target: Target) -> list[ArchiveObject]:
    return _open_archive(arguments, target).episodes.catalog.list_objects(arguments.tenant)


def _open_archive(arguments: Namespace, target: Target) -> OperatorContainer:
    target.get_tenant(arguments.tenant)
    return open_container(target.environment, "archive")
