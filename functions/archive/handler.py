"""Entry point: the schedule's shards, or an operator's task, in; what was done, out."""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.archive.compaction import MERGE_SECONDS, Compaction, verify_objects
from functions.archive.schemas import (
    ArchiveOutcome,
    ArchiveRequest,
    ArchiveTask,
    CompactDueTask,
    CompactTask,
    Task,
    VerifyTask,
)
from functions.archive.usecase import SECONDS_MIN, Archiver
from membus.container import Container
from membus.core.errors import MembusError
from membus.observability import EmfMonitor, logger, metrics

container = Container.from_environment()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> dict[str, Any]:
    task = ArchiveRequest.model_validate({"task": {"task": "archive"} | event}).task
    episodes = container.episodes
    archiver = Archiver(
        unarchived=episodes.unarchived,
        objects=episodes.objects,
        catalog=episodes.catalog,
        guard=container.erasure.guard,
        hot_days=episodes.hot_days,
        clock=container.clock,
        seconds_left=_seconds_left(context, task),
        on_failure=_log_failure,
    )
    outcome = _run_task(task, archiver, episodes.quiet_days)
    if isinstance(task, ArchiveTask):
        metrics.add_metric(name="EpisodesArchived", unit=MetricUnit.Count, value=outcome.episodes)
    EmfMonitor().report_archive_problems(container.environment, len(outcome.problems))
    return outcome.model_dump()


def _run_task(task: Task, archiver: Archiver, quiet_days: int) -> ArchiveOutcome:
    today = archiver.clock().date()
    match task:
        case ArchiveTask():
            days = quiet_days if task.quiet_days is None else task.quiet_days
            before = today + timedelta(days=1 - days)
            return archiver.archive_shards(task.shards, before=before, dry_run=task.dry_run)
        case CompactDueTask():
            archived = today - timedelta(days=quiet_days + 1)  # up to here all is archived but late episodes
            compaction = Compaction(archiver, patient=True, dry_run=task.dry_run)
            return compaction.compact_due(task.shards, before=archived)
        case CompactTask():
            return Compaction(archiver, dry_run=task.dry_run).compact_tenant(task.tenant, after=task.after)
        case VerifyTask():
            return verify_objects(task.tenant, archiver=archiver, after=task.after)


def _seconds_left(context: LambdaContext, task: Task) -> Callable[[], float]:
    """Return the clock of the run, which ends with the invocation or when the task wants its answer."""
    seconds = task.seconds if isinstance(task, CompactTask | VerifyTask) else None
    last_step = MERGE_SECONDS if isinstance(task, CompactTask) else SECONDS_MIN
    ends = math.inf if seconds is None else time.monotonic() + seconds + last_step
    return lambda: min(context.get_remaining_time_in_millis() / 1000, ends - time.monotonic())


def _log_failure(place: str, error: MembusError) -> None:
    logger.error("left as it is, the next run tries again", place=place, code=error.code, detail=error.detail)
