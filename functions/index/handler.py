"""Entry point: a batch of the stream's changes into the search index; what failed is delivered again.

The stream waits behind a record that fails, so only what time can heal fails: everything else is parked.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.index.projection import ProjectionSources
from functions.index.schemas import BackfillRequest, ReindexRequest
from functions.index.usecase import IndexPorts, index_changes
from membus.container import Container
from membus.core.errors import MembusError
from membus.events.ports import EventBus
from membus.observability import logger, metrics

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
        return _batch_failures(
            index_changes(rebuild.records, sink=_ports(container, rebuild.model, bus=None))
        )
    records = event["Records"]
    metrics.add_metric(name="ChangesReceived", unit=MetricUnit.Count, value=len(records))
    return _batch_failures(
        index_changes(records, sink=_ports(container, None, bus=container.events.announcements))
    )


def _ports(container: Container, model: str | None, *, bus: EventBus | None) -> IndexPorts:
    search = container.search.for_model(model)
    return IndexPorts(
        indexer=search.indexer,
        index=search.index,
        bus=bus,
        quarantine=container.events.poison_messages,
        sources=ProjectionSources(container.blobs, container.facts.store, container.conversations.store),
        gate=container.erasure.guard,
        on_failure=_log_failure,
        on_unpaid=_log_over_budget,
    )


def _batch_failures(numbers: list[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


def _log_failure(tenant: str, error: MembusError) -> None:
    logger.warning("changes come again", tenant_id=tenant, code=error.code, detail=error.detail)


def _log_over_budget(tenant: str, error: MembusError) -> None:
    logger.warning("texts wait for their vectors", tenant_id=tenant, code=error.code, detail=error.detail)
