"""`/v1/agents/{agent}/sessions`: working memory, one document per session."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.memory import states
from functions.memory.routes.etags import IfMatch, IfNoneMatch, ensure_modified, expected_version, with_etag
from functions.memory.routes.parameters import READ, WRITE, Agent, Cursor, Limit
from functions.memory.routes.walls import load_hidden
from functions.memory.states_api import SessionPage, StateIn
from membus import wiring, wiring_erasing
from membus.domain.identity import Id, Owner
from membus.domain.state import AgentSession, State
from membus.erasing import ensure_visible
from membus.http import get_caller

router = APIGatewayHttpRouter()
SessionId = Annotated[Id, Path()]
STATE = "/v1/agents/<agent>/sessions/<session>/state"


@router.get("/v1/agents/<agent>/sessions", summary="The sessions of an agent that have a state", **READ)
def get_sessions(agent: Agent, limit: Limit = 50, cursor: Cursor = None) -> SessionPage:
    return states.list_sessions(
        get_caller(router).tenant,
        agent,
        limit=limit,
        cursor=cursor,
        hidden=load_hidden(router),
        states=wiring.states(),
        sealer=wiring.sealer(),
    )


@router.get(STATE, summary="The state of a session", **READ)
def get_state(agent: Agent, session: SessionId, if_none_match: IfNoneMatch = None) -> Response[State]:
    state = wiring.states().state(_session(agent, session))
    if state.user_id:
        ensure_visible(state.user_id, load_hidden(router))
    return ensure_modified(with_etag(state, state.version), if_none_match)


@router.put(STATE, summary="Replace the state of a session", **WRITE)
def put_state(
    agent: Agent,
    session: SessionId,
    asked: Annotated[StateIn, Body()],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[State]:
    if asked.user_id:
        wiring_erasing.gate().admit(Owner(tenant=get_caller(router).tenant, user=asked.user_id))
    state = states.write_state(
        _session(agent, session),
        asked,
        now=wiring.now(),
        lifetime=wiring.state_lifetime(),
        states=wiring.states(),
        expected_version=expected_version(asked.expected_version, if_match, if_none_match),
    )
    return with_etag(state, state.version)


@router.delete(STATE, summary="Remove the state of a session", status_code=HTTPStatus.NO_CONTENT, **WRITE)
def delete_state(agent: Agent, session: SessionId, if_match: IfMatch = None) -> Response[None]:
    wiring.states().delete(_session(agent, session), expected_version=expected_version(None, if_match))
    return Response(HTTPStatus.NO_CONTENT)


def _session(agent: str, session: str) -> AgentSession:
    return AgentSession(tenant=get_caller(router).tenant, agent=agent, session_id=session)
