"""`/v1/agents/{agent}/episodes`: what happened, appended and read back."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.api.episodes import usecase
from functions.api.episodes.schemas import EpisodeBatch, EpisodePage, EpisodeRange, RestoreOut
from functions.api.events.schemas import EventReceipt
from functions.api.events.usecase import EventDefaults
from functions.api.middleware import load_hidden
from functions.api.parameters import READ, WRITE, Agent, Cursor, Limit, RequestKey
from functions.api.router import ApiRouter
from membus.core.errors import RestoreInProgressError
from membus.core.event import Moment
from membus.core.identity import Id
from membus.http import get_caller

router = ApiRouter()
EPISODES = "/v1/agents/<agent>/episodes"
FROM_DESCRIPTION = "the first moment that counts; left out: 30 days before now, or before `to`"
TO_DESCRIPTION = (
    "the first moment that no longer counts; left out: now, and a day more for clocks that run ahead."
    " A range takes at most 3,660 days"
)
USER_DESCRIPTION = "one user's alone; read from an index that follows a write within about a second"

Start = Annotated[
    Moment | None, Query(alias="from", description=FROM_DESCRIPTION, examples=["2026-11-01T00:00:00Z"])
]
End = Annotated[
    Moment | None, Query(alias="to", description=TO_DESCRIPTION, examples=["2026-12-01T00:00:00Z"])
]


@router.post(
    EPISODES,
    summary="Append episodes: readable at once, and learned from",
    status_code=HTTPStatus.CREATED,
    **WRITE,
)
def post_episodes(
    agent: Agent, batch: Annotated[EpisodeBatch, Body()], key: RequestKey = None
) -> EventReceipt:
    router.container.tenants.rate_limiter.check_rate(get_caller(router).tenant, "events", len(batch.episodes))
    stamp = EventDefaults(
        tenant=get_caller(router).tenant, agent=agent, now=router.container.clock(), request_key=key
    )
    return usecase.record_episodes(
        batch.episodes,
        stamp,
        gate=router.container.erasure.guard,
        episodes=router.container.episodes.store,
        bus=router.container.events.bus,
    )


@router.get(
    EPISODES,
    summary="What happened, in time order; 202 with a job while cold episodes are brought back",
    **READ,
)
def get_episodes(
    *,
    agent: Agent,
    start: Start = None,
    end: End = None,
    session_id: Annotated[Id | None, Query(description="one session's alone")] = None,
    user_id: Annotated[Id | None, Query(description=USER_DESCRIPTION)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[EpisodePage | RestoreOut]:
    asked = EpisodeRange(start=start, end=end, session_id=session_id, user_id=user_id)
    try:
        page = usecase.list_episodes(
            get_caller(router).tenant,
            agent,
            asked,
            limit=limit,
            cursor=cursor,
            now=router.container.clock(),
            hidden=load_hidden(router),
            episodes=router.container.episodes.reader,
            sealer=router.container.cursor_signer,
        )
    except RestoreInProgressError as thawing:
        wait: dict[str, str | list[str]] = {"Retry-After": str(thawing.retry_after_seconds)}
        return Response(
            HTTPStatus.ACCEPTED,
            content_type="application/json",
            body=RestoreOut.from_error(thawing),
            headers=wait,
        )
    return Response(HTTPStatus.OK, content_type="application/json", body=page)
