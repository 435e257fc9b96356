"""Entry point: a batch of due erasures; each advances as far as there is time, and is scheduled again."""

from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.erase.usecase import Eraser
from membus.container import Container
from membus.container.events import EventParts
from membus.core.errors import UnavailableError
from membus.erasure.model import ErasureJob, erasure_due
from membus.events.records import AnnouncementRecord
from membus.observability import EmfMonitor, logger, metrics

container = Container.from_environment()
processor = BatchProcessor(
    event_type=EventType.SQS, model=AnnouncementRecord, raise_on_entire_batch_failure=False
)


def advance_erasure(
    record: AnnouncementRecord, lambda_context: LambdaContext, *, container: Container
) -> None:
    tenant, jobs = record.event.tenant_id, container.erasure.jobs
    job = jobs.get_job(tenant, record.job_id)
    parts = container.erasure
    eraser = Eraser(
        jobs=jobs,
        stores=parts.list_purge_stores(job.events) if job.kind == "purge" else parts.list_stores(),
        clock=container.clock,
        seconds_left=lambda: lambda_context.get_remaining_time_in_millis() / 1000,
        settle_time=container.erasure.settle_time,
        kept_days=container.erasure.kept_days,
    )
    wait = eraser.advance_job(job)
    job = jobs.get_job(tenant, record.job_id)
    if wait is not None:
        _schedule_rest(record, job, wait, container.events)
    logger.info(
        "an erasure went on", job_id=job.job_id, status=job.status, removed=job.removed, left=job.left
    )
    if job.status == "failed":
        EmfMonitor().report_erasure_failure(container.environment)
    metrics.add_metric(name="ErasuresDone", unit=MetricUnit.Count, value=job.status == "done")


def _schedule_rest(record: AnnouncementRecord, job: ErasureJob, wait: timedelta, events: EventParts) -> None:
    """Schedule the rest by the bus at once, or by this function's queue after a wait.

    Lambda stops a function that sends to its own queue at the seventeenth run in a row, so the queue is used
    a few times for each job, and the bus as often as it takes.
    """
    if wait:
        events.delay_queue.send_delayed(record.serialize_body(), delay_seconds=ceil(wait.total_seconds()))
    elif events.announcements.publish_events([erasure_due(job)]):
        raise UnavailableError("the erasure went on, and nobody could be told to go on with it")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> PartialItemFailureResponse:
    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(
        event=event,
        record_handler=partial(advance_erasure, container=container),
        processor=processor,
        context=context,
    )
