"""`/v1/agents/{agent}/sessions`: working memory, one document for each session."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.api.etags import IfMatch, IfNoneMatch, ensure_modified, expected_version, with_etag
from functions.api.parameters import READ, WRITE, Cursor, Limit, PathId
from functions.api.router import ApiRouter
from functions.api.states.schemas import SessionPage, StateIn
from functions.api.states.usecase import list_sessions, write_state
from membus.states.model import AgentSession, State

router = ApiRouter()
STATE = "/v1/agents/<agent>/sessions/<session>/state"


@router.get("/v1/agents/<agent>/sessions", summary="The sessions of an agent that have a state", **READ)
def get_sessions(agent: PathId, limit: Limit = 50, cursor: Cursor = None) -> SessionPage:
    return list_sessions(
        router.tenant,
        agent,
        page=router.get_page(limit, cursor),
        hidden=router.hidden,
        states=router.container.states,
    )


@router.get(STATE, summary="The state of a session", **READ)
def get_state(agent: PathId, session: PathId, if_none_match: IfNoneMatch = None) -> Response[State]:
    state = router.container.states.get_state(_session(agent, session))
    router.check_visible(state.user_id)
    return ensure_modified(with_etag(state, state.version), if_none_match)


@router.put(STATE, summary="Replace the state of a session", **WRITE)
def put_state(
    agent: PathId,
    session: PathId,
    asked: Annotated[StateIn, Body()],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[State]:
    router.check_writable(asked.user_id)
    state = write_state(
        _session(agent, session),
        asked,
        expected_version=expected_version(asked.expected_version, if_match, if_none_match),
        now=router.container.clock(),
        lifetime=router.container.state_lifetime,
        states=router.container.states,
    )
    return with_etag(state, state.version)


@router.delete(STATE, summary="Remove the state of a session", status_code=HTTPStatus.NO_CONTENT, **WRITE)
def delete_state(agent: PathId, session: PathId, if_match: IfMatch = None) -> Response[None]:
    version = expected_version(None, if_match)
    router.container.states.delete_state(_session(agent, session), expected_version=version)
    return Response(HTTPStatus.NO_CONTENT)


def _session(agent: str, session: str) -> AgentSession:
    return AgentSession(tenant=router.tenant, agent=agent, session_id=session)
