"""Entry point: a batch of bus events in, episodes and facts out; what failed goes back to the queue.

Powertools' batch processor handles records one by one; this function groups them by user for one model call,
so it reports the failed ones itself.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.extract.delivery import RedeliveryPolicy, TenantQuotas, count_arrivals, split_overflow
from functions.extract.model_answers import AnswerCache
from functions.extract.schemas import QueueBatch, QueueMessage
from functions.extract.usecase import FactExtractor, extract_batch
from membus.container import Container
from membus.events.ports import SourceQueue
from membus.observability import EmfMonitor, logger, metrics

container = Container.from_environment()
MODEL_SECONDS_MAX = 40
RESERVE_SECONDS = 5
"""Left for the commit after the model has answered."""
pool = ThreadPoolExecutor(max_workers=5)  # a batch of ten users is read in two waves, not ten


@logger.inject_lambda_context
@metrics.log_metrics
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> dict[str, Any]:
    messages, queue = _messages_to_read(QueueBatch.model_validate(event).records, container)
    model = partial(container.llm.model, "extract")
    answered = AnswerCache(container.facts.answers, model)
    learner = FactExtractor(
        facts=container.facts.store,
        signals=container.facts.signals,
        held_facts=container.facts.review_queue,
        fresh=container.conversations.unprocessed,
        model=model,
        seconds_left=lambda: min(
            context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS, MODEL_SECONDS_MAX
        ),
        on_refused=_count_refused,
        pause=time.sleep,
        known=answered.get_answers,
        keep=answered.save_answers,
    )
    failed = extract_batch(
        messages,
        episodes=container.episodes.store,
        quarantine=container.events.poison_messages,
        learner=learner,
        redelivery=RedeliveryPolicy(
            queue, container.events.dead_letters, container.events.poison_messages, _log_warning
        ),
        gate=container.erasure.guard,
        on_erased=_count_erased,
        side_by_side=pool.map,
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _messages_to_read(
    messages: list[QueueMessage], container: Container
) -> tuple[list[QueueMessage], SourceQueue]:
    """Return what to read of a batch and the queue that brought it.

    What was set aside once is read whosever it is.
    """
    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(messages))
    surplus = container.events.overflow_queue
    if messages and surplus.is_source_of(messages[0].queue_arn):
        return messages, surplus
    count_arrivals(
        messages, day=container.clock().date(), ledger=container.tenants.usage, monitor=EmfMonitor()
    )
    return split_overflow(
        messages, shares=tenant_quotas(container), surplus=surplus, tell=_count_overflow
    ), container.events.source_queue


@cache
def tenant_quotas(container: Container) -> TenantQuotas:
    return TenantQuotas(container.tenants.extract_quota, container.clock)


def _count_overflow(tenants: Mapping[str, int], refused: int) -> None:
    metrics.add_metric(name="EventsBeyondShare", unit=MetricUnit.Count, value=sum(tenants.values()))
    logger.info("tenants send more than is read at once", extra={"tenants": dict(tenants)})
    if refused:
        logger.warning("the surplus queue takes nothing: neighbours wait", extra={"events": refused})


def _count_refused(reason: str) -> None:
    metrics.add_metric(name=f"CandidatesRefused_{reason}", unit=MetricUnit.Count, value=1)


def _count_erased(tenant: str) -> None:
    metrics.add_metric(name="ErasedDropped", unit=MetricUnit.Count, value=1)
    logger.info("an erased event came back and was dropped", tenant_id=tenant)


def _log_warning(message: str, fields: dict[str, object]) -> None:
    logger.warning(message, extra=fields)
