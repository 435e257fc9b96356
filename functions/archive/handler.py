"""Entry point: the schedule's shards, or an operator's task, in; what was done, out."""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.archive.api import Archive, Asked, Compact, CompactDue, Outcome, Verify
from functions.archive.compaction import MERGE_SECONDS, Compaction, verify
from functions.archive.usecase import SECONDS_MIN, Archiver
from membus import wiring, wiring_cold, wiring_erasing
from membus.errors import MembusError
from membus.observability import EmfMonitor, logger, metrics


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    asked = Asked.model_validate({"asked": {"task": "archive"} | event}).asked
    archiver = Archiver(
        waiting=wiring_cold.waiting(),
        objects=wiring_cold.objects(),
        catalog=wiring_cold.catalog(),
        gate=wiring_erasing.gate(),
        hot_days=wiring_cold.hot_days(),
        now=wiring.now,
        seconds_left=_clock(context, asked),
        tell=_failed,
    )
    outcome = _done(asked, archiver)
    if isinstance(asked, Archive):
        metrics.add_metric(name="EpisodesArchived", unit=MetricUnit.Count, value=outcome.episodes)
    EmfMonitor().leaves(wiring.environment(), len(outcome.problems))
    return outcome.model_dump()


def _done(asked: Archive | Compact | CompactDue | Verify, archiver: Archiver) -> Outcome:
    today = archiver.now().date()
    if isinstance(asked, Archive):
        quiet_days = wiring_cold.quiet_days() if asked.quiet_days is None else asked.quiet_days
        return archiver.archive(
            asked.shards, before=today + timedelta(days=1 - quiet_days), dry_run=asked.dry_run
        )
    if isinstance(asked, CompactDue):
        archived = today - timedelta(days=wiring_cold.quiet_days() + 1)  # up to here, but for what comes late
        return Compaction(archiver, patient=True, dry_run=asked.dry_run).due(asked.shards, before=archived)
    if isinstance(asked, Compact):
        return Compaction(archiver, dry_run=asked.dry_run).tenant(asked.tenant, after=asked.after)
    return verify(asked.tenant, archiver=archiver, after=asked.after)


def _clock(context: LambdaContext, asked: Archive | Compact | CompactDue | Verify) -> Callable[[], float]:
    """Return what says how many seconds are left, as if the function's time ended when the caller wants an answer."""
    seconds = asked.seconds if isinstance(asked, Compact | Verify) else None
    last_step = MERGE_SECONDS if isinstance(asked, Compact) else SECONDS_MIN
    ends = math.inf if seconds is None else time.monotonic() + seconds + last_step
    return lambda: min(context.get_remaining_time_in_millis() / 1000, ends - time.monotonic())


def _failed(place: str, error: MembusError) -> None:
    logger.error("left as it is, the next run tries again", place=place, code=error.code, detail=error.detail)
