"""`/v1/events`: what users did."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.api.events.schemas import EventBatch, EventOutcome, EventReceipt
from functions.api.events.usecase import EventDefaults, accept_events
from functions.api.parameters import EVENTS, READ, PathId, RequestKey
from functions.api.router import ApiRouter
from membus.core.errors import NotFoundError
from membus.observability import EmfMonitor

router = ApiRouter()


@router.post("/v1/events", summary="Record what users did", status_code=HTTPStatus.ACCEPTED, **EVENTS)
def post_events(batch: Annotated[EventBatch, Body()], key: RequestKey = None) -> EventReceipt:
    container = router.container
    container.tenants.rate_limiter.check_rate(router.tenant, "events", len(batch.events))
    return accept_events(
        batch.events,
        EventDefaults(tenant=router.tenant, request_key=key, now=container.clock()),
        guard=container.erasure.guard,
        bus=container.events.bus,
        unprocessed=container.conversations.unprocessed,
        monitor=EmfMonitor(),
    )


@router.get("/v1/users/<user>/events/<event>", summary="What became of an event", **READ)
def get_event(user: PathId, event: PathId) -> EventOutcome:
    # Validation compiles so many patterns that every cold start of the API would take longer.
    from functions.api.events.outcome import describe_outcome  # noqa: PLC0415 - as said above

    owner = router.get_owner(user)
    trace = router.container.episodes.traces.find_trace(owner, event)
    if trace is None:
        raise NotFoundError("no such event is recorded (yet) for this user")
    settings = router.container.tenants.settings.get_settings(router.tenant).settings
    return describe_outcome(owner, event, trace, settings)
