"""Entry point: a batch of bus events in, episodes and facts out; failed messages go back to the queue.

Powertools' batch processor handles records one by one; this function asks the model about many at once, so it
reports the failed ones itself.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.extract.monitor import EmfExtractMonitor
from functions.extract.ports import ExtractPorts
from functions.extract.schemas import QueueBatch
from functions.extract.usecase import extract_batch
from membus.container import Container
from membus.observability import logger, metrics

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
    failed = extract_batch(QueueBatch.model_validate(event).records, _ports(container, context))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _ports(container: Container, context: LambdaContext) -> ExtractPorts:
    def seconds_left() -> float:
        return min(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS, MODEL_SECONDS_MAX)

    return ExtractPorts(
        facts=container.facts.store,
        signals=container.facts.signals,
        review_queue=container.facts.review_queue,
        unprocessed=container.conversations.unprocessed,
        answers=container.facts.answers,
        model=partial(container.llm.get_model, "extract"),
        model_id=container.settings.get_text("EXTRACT_MODEL_ID"),
        monitor=EmfExtractMonitor(),
        seconds_left=seconds_left,
        settings=container.tenants.settings,
        episodes=container.episodes.store,
        erasures=container.erasure.guard,
        source_queue=container.events.source_queue,
        overflow_queue=container.events.overflow_queue,
        poison_messages=container.events.poison_messages,
        dead_letters=container.events.dead_letters,
        usage=container.tenants.usage,
        quotas=container.tenants.extract_quotas,
        clock=container.clock,
        run_parallel=pool.map,
    )
