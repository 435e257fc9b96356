"""Working memory: one JSON document per session of an agent, versioned and short-lived."""

from typing import Any

from pydantic import AwareDatetime

from membus.core.identity import Id, Record


class AgentSession(Record):
    """One session of one agent of one tenant."""

    tenant: Id
    agent: Id
    session_id: Id


class StateInfo(Record):
    """What a listing says of a state: which version there is, and until when."""

    session_id: Id
    version: int
    expires_at: AwareDatetime
    user_id: Id | None = None


class State(Record):
    """The document of a session; `version` counts its writes from 1 and starts anew once it has expired.

    `user_id` is whom it is about, if that was ever said: it goes with what else is theirs.
    """

    data: dict[str, Any]
    version: int
    expires_at: AwareDatetime
    user_id: Id | None = None
