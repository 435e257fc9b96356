"""Entry point: a batch of bus events in, episodes and facts out; what failed goes back to the queue.

Powertools' batch processor handles records one by one; this function groups them by user for one model call, so
it reports the failed ones itself. After five receives the queue moves a message to its dead-letter queue.
"""

import traceback
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.extract.api import QueueBatch, QueueMessage
from functions.extract.learning import Learner
from functions.extract.usecase import extract_batch
from membus import wiring
from membus.errors import MembusError, UnavailableError
from membus.observability import logger, metrics

MODEL_SECONDS_MAX = 40
RESERVE_SECONDS = 5
"""Left for the commit after the model has answered."""
RETRY_SECONDS_MAX = 300


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    messages = QueueBatch.model_validate(event).records
    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(messages))
    learner = Learner(
        facts=wiring.facts(),
        signals=wiring.signals(),
        model=lambda: wiring.model("extract"),
        seconds_left=lambda: min(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS, MODEL_SECONDS_MAX),
        on_refused=_count_refused,
    )
    failed = extract_batch(
        messages,
        episodes=wiring.episodes(),
        quarantine=wiring.quarantine(),
        learner=learner,
        on_failure=_retry_later,
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _count_refused(reason: str) -> None:
    metrics.add_metric(name=f"CandidatesRefused_{reason}", unit=MetricUnit.Count, value=1)


def _retry_later(message: QueueMessage, error: Exception) -> None:
    """Shorten the wait for the next try: the queue's own visibility timeout fits the longest run, not a brief fault.

    Of an error that is none of ours only the kind and the place are logged: its words may quote what a user said.
    """
    again_in_seconds = min(2**message.receives, RETRY_SECONDS_MAX)
    code, detail = (error.code, error.detail) if isinstance(error, MembusError) else ("defect", _place(error))
    logger.warning(
        "message goes back to the queue",
        message_id=message.message_id, receives=message.receives, again_in_seconds=again_in_seconds,
        code=code, detail=detail,
    )  # fmt: skip
    try:
        wiring.source_queue().retry_in(message.receipt, seconds=again_in_seconds)
    except UnavailableError as unavailable:
        logger.warning("the queue keeps its own timeout", message_id=message.message_id, detail=unavailable.detail)


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename}:{last.lineno}"
