"""`/v1/agents/{agent}/sessions`: working memory, one document per session."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from functions.api.etags import IfMatch, IfNoneMatch, ensure_modified, expected_version, with_etag
from functions.api.middleware import load_hidden
from functions.api.parameters import READ, WRITE, Agent, Cursor, Limit
from functions.api.router import ApiRouter
from functions.api.states import usecase
from functions.api.states.schemas import SessionPage, StateIn
from membus.core.identity import Id, Owner
from membus.erasure.guard import ensure_visible
from membus.http import get_caller
from membus.states.model import AgentSession, State

router = ApiRouter()
SessionId = Annotated[Id, Path()]
STATE = "/v1/agents/<agent>/sessions/<session>/state"


@router.get("/v1/agents/<agent>/sessions", summary="The sessions of an agent that have a state", **READ)
def get_sessions(agent: Agent, limit: Limit = 50, cursor: Cursor = None) -> SessionPage:
    return usecase.list_sessions(
        get_caller(router).tenant,
        agent,
        limit=limit,
        cursor=cursor,
        hidden=load_hidden(router),
        states=router.container.states,
        sealer=router.container.cursor_signer,
    )


@router.get(STATE, summary="The state of a session", **READ)
def get_state(agent: Agent, session: SessionId, if_none_match: IfNoneMatch = None) -> Response[State]:
    state = router.container.states.get_state(_session(agent, session))
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
        router.container.erasure.guard.ensure_writable(
            Owner(tenant=get_caller(router).tenant, user=asked.user_id)
        )
    state = usecase.write_state(
        _session(agent, session),
        asked,
        now=router.container.clock(),
        lifetime=router.container.state_lifetime,
        states=router.container.states,
        expected_version=expected_version(asked.expected_version, if_match, if_none_match),
    )
    return with_etag(state, state.version)


@router.delete(STATE, summary="Remove the state of a session", status_code=HTTPStatus.NO_CONTENT, **WRITE)
def delete_state(agent: Agent, session: SessionId, if_match: IfMatch = None) -> Response[None]:
    router.container.states.delete_state(
        _session(agent, session), expected_version=expected_version(None, if_match)
    )
    return Response(HTTPStatus.NO_CONTENT)


def _session(agent: str, session: str) -> AgentSession:
    return AgentSession(tenant=get_caller(router).tenant, agent=agent, session_id=session)
