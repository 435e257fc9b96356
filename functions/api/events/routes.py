"""`/v1/events`: what users did."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.api.events.schemas import EventBatch, EventOutcome, EventReceipt
from functions.api.events.usecase import EventDefaults, accept_events
from functions.api.jobs.schemas import ErasureJobOut
from functions.api.parameters import (
    ADMIN,
    EVENTS,
    PURGE_RESPONSES,
    READ,
    DryRun,
    PathId,
    Purge,
    RequestKey,
)
from functions.api.purge.schemas import PurgePreview
from functions.api.purge.usecase import require_event
from functions.api.router import ApiRouter
from membus.core.errors import InvalidError, NotFoundError
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


@router.delete(
    "/v1/users/<user>/events/<event>",
    summary="Purge an event: its words leave every store, by a job",
    responses=PURGE_RESPONSES,
    **ADMIN,
)
def delete_event(
    *, user: PathId, event: PathId, purge: Purge = False, dry_run: DryRun = False, key: RequestKey = None
) -> Response[ErasureJobOut | PurgePreview | None]:
    if not purge:
        detail = "an event can only be purged: say purge=true, and dry_run=true to see what would go"
        raise InvalidError(detail, code="purge_missing")
    owner = router.get_owner(user)
    require_event(owner, event, router.container.episodes.traces)
    return router.answer_purge(owner, [event], key=key, dry_run=dry_run)


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
