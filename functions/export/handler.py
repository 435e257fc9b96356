"""Entry point: a due export in, its file in the bucket; what failed goes back to the queue."""

from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.export.sections import ExportSources
from functions.export.usecase import Exporter
from membus.container import Container
from membus.core.errors import ConflictError, UnavailableError
from membus.events.records import AnnouncementRecord
from membus.observability import logger, metrics
from membus.transfer.model import export_due

container = Container.from_environment()
processor = BatchProcessor(
    event_type=EventType.SQS, model=AnnouncementRecord, raise_on_entire_batch_failure=False
)


def advance_export_job(
    record: AnnouncementRecord, lambda_context: LambdaContext, *, container: Container
) -> None:
    jobs = container.transfer.jobs
    exporter = Exporter(
        sources=_sources(container),
        jobs=jobs,
        files=container.transfer.files,
        ensure_visible=container.erasure.guard.ensure_visible,
        clock=container.clock,
        seconds_left=lambda: lambda_context.get_remaining_time_in_millis() / 1000,
    )
    try:
        export = exporter.advance_export(jobs.get_export(record.event.tenant_id, record.job_id))
    except ConflictError:
        logger.info("another one goes on with this export", job_id=record.job_id)
        return
    if export.status == "running" and container.events.announcements.publish_events([export_due(export)]):
        raise UnavailableError("the export went on, and nobody could be told to go on with it")
    logger.info(
        "an export went on", job_id=export.job_id, status=export.status, rows=export.rows, bytes=export.bytes
    )
    metrics.add_metric(name="ExportsDone", unit=MetricUnit.Count, value=export.status == "done")


def _sources(container: Container) -> ExportSources:
    return ExportSources(
        episodes=container.episodes.reader,
        facts=container.facts.store,
        conversations=container.conversations.store,
        summaries=container.conversations.summaries,
        documents=container.search.documents,
        index=container.search.index,
        review_queue=container.facts.review_queue,
        states=container.states,
        blobs=container.blobs,
        clock=container.clock,
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> PartialItemFailureResponse:
    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(
        event=event,
        record_handler=partial(advance_export_job, container=container),
        processor=processor,
        context=context,
    )
