"""Entry point: a batch of bus events in, episodes and facts out; what failed goes back to the queue.

Powertools' batch processor handles records one by one; this function groups them by user for one model call, so
it reports the failed ones itself.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.extract.answered import Answered
from functions.extract.api import QueueBatch
from functions.extract.arrivals import count_arrivals
from functions.extract.learning import Learner
from functions.extract.redelivery import Redelivery
from functions.extract.usecase import extract_batch
from membus import wiring, wiring_erasing, wiring_models, wiring_usage
from membus.observability import EmfMonitor, logger, metrics

MODEL_SECONDS_MAX = 40
RESERVE_SECONDS = 5
"""Left for the commit after the model has answered."""
pool = ThreadPoolExecutor(max_workers=5)  # a batch of ten users is read in two waves, not ten


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    messages = QueueBatch.model_validate(event).records
    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(messages))
    count_arrivals(messages, day=wiring.now().date(), ledger=wiring_usage.usage_ledger(), monitor=EmfMonitor())
    model = partial(wiring_models.model, "extract")
    answered = Answered(wiring.answers(), model)
    learner = Learner(
        facts=wiring.facts(),
        signals=wiring.signals(),
        held_facts=wiring.held_facts(),
        fresh=wiring.fresh(),
        model=model,
        seconds_left=lambda: min(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS, MODEL_SECONDS_MAX),
        on_refused=_count_refused,
        pause=time.sleep,
        known=answered.known,
        keep=answered.keep,
    )
    failed = extract_batch(
        messages,
        episodes=wiring.episodes(),
        quarantine=wiring.quarantine(),
        learner=learner,
        redelivery=Redelivery(wiring.source_queue(), wiring.dead_letters(), wiring.quarantine(), _tell),
        gate=wiring_erasing.gate(),
        on_erased=_count_erased,
        side_by_side=pool.map,
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _count_refused(reason: str) -> None:
    metrics.add_metric(name=f"CandidatesRefused_{reason}", unit=MetricUnit.Count, value=1)


def _count_erased(tenant: str) -> None:
    metrics.add_metric(name="ErasedDropped", unit=MetricUnit.Count, value=1)
    logger.info("an erased event came back and was dropped", tenant_id=tenant)


def _tell(message: str, fields: dict[str, object]) -> None:
    logger.warning(message, extra=fields)
