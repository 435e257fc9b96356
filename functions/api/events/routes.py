"""`/v1/events`: what users did."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.api.events.schemas import EventBatch, EventReceipt
from functions.api.events.usecase import EventDefaults, accept_events
from functions.api.parameters import EVENTS, RequestKey
from functions.api.router import ApiRouter
from membus.http import get_caller
from membus.observability import EmfMonitor

router = ApiRouter()


@router.post("/v1/events", summary="Record what users did", status_code=HTTPStatus.ACCEPTED, **EVENTS)
def post_events(batch: Annotated[EventBatch, Body()], key: RequestKey = None) -> EventReceipt:
    router.container.tenants.rate_limiter.check_rate(get_caller(router).tenant, "events", len(batch.events))
    stamp = EventDefaults(tenant=get_caller(router).tenant, request_key=key, now=router.container.clock())
    return accept_events(
        batch.events,
        stamp,
        gate=router.container.erasure.guard,
        bus=router.container.events.bus,
        fresh=router.container.conversations.unprocessed,
        monitor=EmfMonitor(),
    )
