"""`/v1/agents/{agent}/episodes`: events of an agent, appended and read back in time order."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.api.episodes.schemas import EpisodeBatch, EpisodePage, EpisodeRange, RestoreJobOut
from functions.api.episodes.usecase import list_episodes, record_episodes
from functions.api.events.schemas import EventReceipt
from functions.api.events.usecase import EventDefaults
from functions.api.fields import WrittenMoment
from functions.api.parameters import READ, WRITE, Cursor, Limit, PathId, RequestKey
from functions.api.router import ApiRouter
from membus.core.errors import RestoreInProgressError
from membus.core.identity import Id
from membus.http import json_response

router = ApiRouter()
EPISODES = "/v1/agents/<agent>/episodes"
FROM_DESCRIPTION = "the first moment that counts; left out: 30 days before now, or before `to`"
TO_DESCRIPTION = (
    "the first moment that no longer counts; left out: now, and a day more for clocks that run ahead."
    " A range takes at most 3,660 days"
)
USER_DESCRIPTION = "one user's alone; read from an index that follows a write within about a second"

Start = Annotated[
    WrittenMoment, Query(alias="from", description=FROM_DESCRIPTION, examples=["2026-11-01T00:00:00Z"])
]
End = Annotated[
    WrittenMoment, Query(alias="to", description=TO_DESCRIPTION, examples=["2026-12-01T00:00:00Z"])
]


@router.post(
    EPISODES,
    summary="Append episodes: readable at once, and learned from",
    status_code=HTTPStatus.CREATED,
    **WRITE,
)
def post_episodes(
    agent: PathId, batch: Annotated[EpisodeBatch, Body()], key: RequestKey = None
) -> EventReceipt:
    container = router.container
    container.tenants.rate_limiter.check_rate(router.tenant, "events", len(batch.episodes))
    return record_episodes(
        batch.episodes,
        EventDefaults(tenant=router.tenant, agent=agent, now=container.clock(), request_key=key),
        guard=container.erasure.guard,
        episodes=container.episodes.store,
        bus=container.events.bus,
    )


@router.get(
    EPISODES,
    summary="What happened, in time order; 202 with a job while cold episodes are brought back",
    responses={
        HTTPStatus.OK: {
            "description": "A page of episodes",
            "content": {"application/json": {"model": EpisodePage}},
        },
        HTTPStatus.ACCEPTED: {
            "description": "Cold episodes are being brought back: the job to wait for",
            "content": {"application/json": {"model": RestoreJobOut}},
        },
    },
    **READ,
)
def get_episodes(
    *,
    agent: PathId,
    start: Start = None,
    end: End = None,
    session_id: Annotated[Id | None, Query(description="one session's alone")] = None,
    user_id: Annotated[Id | None, Query(description=USER_DESCRIPTION)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[EpisodePage | RestoreJobOut]:
    try:
        answer = list_episodes(
            router.tenant,
            agent,
            EpisodeRange(start=start, end=end, session_id=session_id, user_id=user_id),
            page=router.get_page(limit, cursor),
            now=router.container.clock(),
            hidden=router.hidden,
            episodes=router.container.episodes.reader,
        )
    except RestoreInProgressError as error:
        wait = {"Retry-After": str(error.retry_after_seconds)}
        return json_response(RestoreJobOut.from_error(error), status=HTTPStatus.ACCEPTED, headers=wait)
    return json_response(answer)
