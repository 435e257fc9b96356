"""Entry point: the schedule's shards, or an operator's task, in; what was done, out."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.archive.api import Archive, Asked, Compact, Outcome
from functions.archive.compaction import compact, verify
from functions.archive.usecase import Archiver
from membus import wiring, wiring_cold, wiring_erasing
from membus.errors import MembusError
from membus.observability import logger, metrics


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
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
        tell=_failed,
    )
    outcome = _done(asked, archiver)
    metrics.add_metric(name="EpisodesArchived", unit=MetricUnit.Count, value=outcome.episodes)
    metrics.add_metric(name="ArchiveProblems", unit=MetricUnit.Count, value=len(outcome.problems))
    return outcome.model_dump()


def _done(asked: Any, archiver: Archiver) -> Outcome:
    if isinstance(asked, Archive):
        quiet_days = wiring_cold.quiet_days() if asked.quiet_days is None else asked.quiet_days
        before = (archiver.now() + timedelta(days=1 - quiet_days)).date()
        return archiver.archive(asked.shards, before=before, dry_run=asked.dry_run)
    if isinstance(asked, Compact):
        return compact(asked.tenant, archiver=archiver, dry_run=asked.dry_run)
    return verify(asked.tenant, archiver=archiver)


def _failed(place: str, error: MembusError) -> None:
    logger.error("not archived, the next run tries again", place=place, code=error.code, detail=error.detail)
