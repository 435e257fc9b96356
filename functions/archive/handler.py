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
    asked = ArchiveRequest.model_validate({"asked": {"task": "archive"} | event}).asked
    archiver = Archiver(
        waiting=container.episodes.unarchived,
        objects=container.episodes.objects,
        catalog=container.episodes.catalog,
        gate=container.erasure.guard,
        hot_days=container.episodes.hot_days,
        now=container.clock,
        seconds_left=_seconds_left(context, asked),
        tell=_log_failure,
    )
    outcome = _run_task(asked, archiver, container.episodes.quiet_days)
    if isinstance(asked, ArchiveTask):
        metrics.add_metric(name="EpisodesArchived", unit=MetricUnit.Count, value=outcome.episodes)
    EmfMonitor().report_archive_problems(container.environment, len(outcome.problems))
    return outcome.model_dump()


def _run_task(
    asked: ArchiveTask | CompactTask | CompactDueTask | VerifyTask, archiver: Archiver, quiet_days: int
) -> ArchiveOutcome:
    today = archiver.now().date()
    if isinstance(asked, ArchiveTask):
        quiet_days = quiet_days if asked.quiet_days is None else asked.quiet_days
        return archiver.archive_shards(
            asked.shards, before=today + timedelta(days=1 - quiet_days), dry_run=asked.dry_run
        )
    if isinstance(asked, CompactDueTask):
        archived = today - timedelta(days=quiet_days + 1)  # up to here, but for what comes late
        return Compaction(archiver, patient=True, dry_run=asked.dry_run).compact_due(
            asked.shards, before=archived
        )
    if isinstance(asked, CompactTask):
        return Compaction(archiver, dry_run=asked.dry_run).compact_tenant(asked.tenant, after=asked.after)
    return verify_objects(asked.tenant, archiver=archiver, after=asked.after)


def _seconds_left(
    context: LambdaContext, asked: ArchiveTask | CompactTask | CompactDueTask | VerifyTask
) -> Callable[[], float]:
    """Return what says how many seconds are left, as if the function's time ended when the caller wants an answer."""
    seconds = asked.seconds if isinstance(asked, CompactTask | VerifyTask) else None
    last_step = MERGE_SECONDS if isinstance(asked, CompactTask) else SECONDS_MIN
    ends = math.inf if seconds is None else time.monotonic() + seconds + last_step
    return lambda: min(context.get_remaining_time_in_millis() / 1000, ends - time.monotonic())


def _log_failure(place: str, error: MembusError) -> None:
    logger.error("left as it is, the next run tries again", place=place, code=error.code, detail=error.detail)
