"""Entry point: a batch of the stream's changes goes into the search index; failed ones are delivered again.

The stream waits behind a record that fails, so only records that a retry can help fail; all others are
parked.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.index.projection import ProjectionSources
from functions.index.schemas import BackfillRequest, ReindexRequest
from functions.index.usecase import IndexPorts, index_changes
from membus.container import Container
from membus.events.ports import EventBus
from membus.observability import EmfMonitor, logger, metrics

container = Container.from_environment()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(
    event: dict[str, Any],
    context: LambdaContext,  # noqa: ARG001 - Lambda passes it
    container: Container = container,
) -> dict[str, Any]:
    if "backfill" in event:
        wanted = BackfillRequest.model_validate(event["backfill"])
        return {"found": container.search.for_model(wanted.model).indexer.backfill_vectors(wanted.tenant)}
    if "reindex" in event:
        rebuild = ReindexRequest.model_validate(event["reindex"])
        records, ports = rebuild.records, _ports(container, rebuild.model, bus=None)
    else:
        records, ports = event["Records"], _ports(container, None, bus=container.events.announcements)
        metrics.add_metric(name="ChangesReceived", unit=MetricUnit.Count, value=len(records))
    failed = index_changes(records, ports)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def _ports(container: Container, model: str | None, *, bus: EventBus | None) -> IndexPorts:
    search = container.search.for_model(model)
    return IndexPorts(
        indexer=search.indexer,
        index=search.index,
        bus=bus,
        poison_messages=container.events.poison_messages,
        sources=ProjectionSources(container.blobs, container.facts.store, container.conversations.store),
        erasures=container.erasure.guard,
        monitor=EmfMonitor(),
    )
