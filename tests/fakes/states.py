"""States in dictionaries; what has expired is gone."""

import json
from datetime import UTC, datetime
from typing import Any

from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.pages import Page
from membus.states.model import AgentSession, State, StateInfo
from tests.fakes.listing import page_of


class InMemoryStates:
    """Expired states stay in the listing's pages, where they are counted and not shown, as in DynamoDB."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[AgentSession, tuple[str, int, datetime]] = {}
        self._users: dict[AgentSession, str] = {}

    def get_state(self, session: AgentSession) -> State:
        if not self._version(session):
            raise NotFoundError("no such state")
        text, version, expires_at = self._kept[session]
        whose = self._users.get(session)
        return State(data=json.loads(text), version=version, expires_at=expires_at, user_id=whose)

    def put_state(
        self,
        session: AgentSession,
        data: dict[str, Any],
        *,
        expires_at: datetime,
        expected_version: int | None,
        user: str | None = None,
    ) -> State:
        self._expect(session, expected_version)
        until = datetime.fromtimestamp(int(expires_at.timestamp()), UTC)
        if user or not self._version(session):
            self._users.pop(session, None)
        if user:
            self._users[session] = user
        self._kept[session] = json.dumps(data), self._version(session) + 1, until
        return self.get_state(session)

    def delete_state(self, session: AgentSession, *, expected_version: int | None) -> None:
        if not self._version(session):
            raise NotFoundError("no such state")
        self._expect(session, expected_version)
        del self._kept[session]

    def list_states(
        self, tenant: str, agent: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[StateInfo]:
        mine = {
            session.session_id: StateInfo(
                session_id=session.session_id,
                version=version,
                expires_at=expires_at,
                user_id=self._users.get(session),
            )
            for session, (_, version, expires_at) in self._kept.items()
            if (session.tenant, session.agent) == (tenant, agent)
        }
        return page_of(mine, limit=limit, after=after, keep=lambda lease: lease.expires_at > self._clock())

    def _version(self, session: AgentSession) -> int:
        """Return the version there is, 0 for none."""
        _, version, expires_at = self._kept.get(session, ("", 0, self._clock()))
        return version if expires_at > self._clock() else 0

    def _expect(self, session: AgentSession, expected_version: int | None) -> None:
        version = self._version(session)
        if expected_version not in {None, version}:
            raise ConflictError("the state is at another version", version=version)
