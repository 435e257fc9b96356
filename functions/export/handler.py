"""Entry point: an export that is due in, its archive in the bucket; what failed goes back to the queue."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.export import job
from functions.export.api import DueRecord
from functions.export.sections import Sources
from membus import wiring, wiring_cold, wiring_erasing, wiring_search, wiring_transfer
from membus.observability import logger, metrics

processor = BatchProcessor(event_type=EventType.SQS, model=DueRecord, raise_on_entire_batch_failure=False)


def export(record: DueRecord) -> None:
    exports = wiring_transfer.exports()
    sources = Sources(
        episodes=wiring_cold.episode_reader(), facts=wiring.facts(), conversations=wiring.conversations(),
        summaries=wiring.summaries(), documents=wiring_search.documents(), index=wiring_search.memory_index(),
        held_facts=wiring.held_facts(), now=wiring.now,
    )  # fmt: skip
    done = job.run(
        exports.export(record.tenant, record.job_id), sources=sources, exports=exports,
        archives=wiring_transfer.archives(), show=wiring_erasing.gate().show, clock=wiring.now,
    )  # fmt: skip
    logger.info("an export ended", job_id=done.job_id, status=done.status, rows=done.rows, bytes=done.bytes)
    metrics.add_metric(name="ExportsDone", unit=MetricUnit.Count, value=done.status == "done")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(event=event, record_handler=export, processor=processor, context=context)
