"""`/v1/events`: what users did."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.api.events.schemas import EventBatch, EventReceipt
from functions.api.events.usecase import EventDefaults, accept_events
from functions.api.parameters import EVENTS, RequestKey
from membus import wiring, wiring_conversations, wiring_erasing, wiring_rates
from membus.http import get_caller
from membus.observability import EmfMonitor

router = APIGatewayHttpRouter()


@router.post("/v1/events", summary="Record what users did", status_code=HTTPStatus.ACCEPTED, **EVENTS)
def post_events(batch: Annotated[EventBatch, Body()], key: RequestKey = None) -> EventReceipt:
    wiring_rates.turnstile().check_rate(get_caller(router).tenant, "events", len(batch.events))
    stamp = EventDefaults(tenant=get_caller(router).tenant, request_key=key, now=wiring.now())
    return accept_events(
        batch.events,
        stamp,
        gate=wiring_erasing.gate(),
        bus=wiring.bus(),
        fresh=wiring_conversations.fresh(),
        monitor=EmfMonitor(),
    )
