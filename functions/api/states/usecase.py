"""Working memory of agents: a document for each session, replaced by version."""

import json
from datetime import datetime, timedelta

from functions.api.pages import PageRequest
from functions.api.states.schemas import SessionPage, StateIn
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import InvalidError
from membus.states.model import AgentSession, State
from membus.states.ports import StateStore

STATE_BYTES_MAX = 5_500_000
"""Lambda returns at most 6 MB, in which the document is a quoted text: what cannot be read is not written."""


def write_state(
    session: AgentSession,
    asked: StateIn,
    *,
    expected_version: int | None,
    now: datetime,
    lifetime: timedelta,
    states: StateStore,
) -> State:
    """Replace the session's document.

    Raises:
        InvalidError: `payload_too_large`.
        ConflictError: the document is at another version than the expected one.
    """
    quoted = json.dumps(json.dumps(asked.data, ensure_ascii=False), ensure_ascii=False)
    if len(quoted.encode()) > STATE_BYTES_MAX:
        raise InvalidError(f"a state takes at most {STATE_BYTES_MAX} bytes", code="payload_too_large")
    life = lifetime if asked.ttl_seconds is None else timedelta(seconds=asked.ttl_seconds)
    return states.put_state(
        session, asked.data, expires_at=now + life, expected_version=expected_version, user=asked.user_id
    )


def list_sessions(
    tenant: str, agent: str, *, page: PageRequest, hidden: SubjectsBeingErased, states: StateStore
) -> SessionPage:
    query = page.for_query("sessions", tenant, agent)
    found = states.list_states(tenant, agent, limit=query.limit, after=query.after)
    return SessionPage(
        items=[each for each in found.items if not hidden.contains_user(each.user_id)],
        next_cursor=query.next_cursor(found.after),
    )
