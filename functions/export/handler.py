"""Entry point: an export that is due in, its archive in the bucket; what failed goes back to the queue."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.export.schemas import ExportDueRecord
from functions.export.sections import ExportSources
from functions.export.usecase import Exporter
from membus import wiring, wiring_cold, wiring_conversations, wiring_erasing, wiring_search, wiring_transfer
from membus.core.errors import ConflictError, UnavailableError
from membus.observability import logger, metrics
from membus.transfer.model import export_due

processor = BatchProcessor(
    event_type=EventType.SQS, model=ExportDueRecord, raise_on_entire_batch_failure=False
)


def advance_export_job(record: ExportDueRecord, lambda_context: LambdaContext) -> None:
    exports = wiring_transfer.exports()
    exporter = Exporter(
        sources=_sources(),
        exports=exports,
        archives=wiring_transfer.archives(),
        show=wiring_erasing.gate().ensure_visible,
        clock=wiring.now,
        seconds_left=lambda: lambda_context.get_remaining_time_in_millis() / 1000,
    )
    try:
        export = exporter.advance_export(exports.get_export(record.tenant, record.job_id))
    except ConflictError:
        logger.info("another one goes on with this export", job_id=record.job_id)
        return
    if export.status == "running" and wiring_search.announcements().publish_events([export_due(export)]):
        raise UnavailableError("the export went on, and nobody could be told to go on with it")
    logger.info(
        "an export went on", job_id=export.job_id, status=export.status, rows=export.rows, bytes=export.bytes
    )
    metrics.add_metric(name="ExportsDone", unit=MetricUnit.Count, value=export.status == "done")


def _sources() -> ExportSources:
    return ExportSources(
        episodes=wiring_cold.episode_reader(),
        facts=wiring.facts(),
        conversations=wiring_conversations.conversations(),
        summaries=wiring_conversations.summaries(),
        documents=wiring_search.documents(),
        index=wiring_search.memory_index(),
        held_facts=wiring.held_facts(),
        states=wiring.states(),
        contents=wiring.contents(),
        now=wiring.now,
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(
        event=event, record_handler=advance_export_job, processor=processor, context=context
    )
