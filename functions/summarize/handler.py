"""Entry point: a batch of due conversations in, their summaries advanced.

Failed ones go back to the queue.
"""

from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.summarize.schemas import SummaryDueRecord
from functions.summarize.usecase import Summarizer
from membus.container import Container
from membus.observability import logger, metrics

MODEL_SECONDS_MAX = 40
RESERVE_SECONDS = 5
"""Left for the write after the model has answered."""

container = Container.from_environment()
processor = BatchProcessor(
    event_type=EventType.SQS, model=SummaryDueRecord, raise_on_entire_batch_failure=False
)


def advance(record: SummaryDueRecord, lambda_context: LambdaContext, *, container: Container) -> None:
    def seconds_left() -> float:
        return min(lambda_context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS, MODEL_SECONDS_MAX)

    steps = Summarizer(
        conversations=container.conversations.store,
        summaries=container.conversations.summaries,
        model=partial(container.llm.get_model, "summarize"),
        clock=container.clock,
        seconds_left=seconds_left,
    ).advance_summary(record.due)
    metrics.add_metric(name="SummariesAdvanced", unit=MetricUnit.Count, value=steps)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> PartialItemFailureResponse:
    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(
        event=event,
        record_handler=partial(advance, container=container),
        processor=processor,
        context=context,
    )
