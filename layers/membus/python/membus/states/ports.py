"""Working memory, one document per session."""

from datetime import datetime
from typing import Any, Protocol

from membus.core.pages import Page
from membus.states.model import AgentSession, State, StateInfo


class StateStore(Protocol):
    """An expired state is as absent as one that never was, in reads and in conditions."""

    def get_state(self, session: AgentSession) -> State:
        """Return the state as of the last write; NotFoundError where there is none."""

    def put_state(
        self,
        session: AgentSession,
        data: dict[str, Any],
        *,
        expires_at: datetime,
        expected_version: int | None,
        user: str | None = None,
    ) -> State:
        """Replace the state as a whole; `expires_at` counts in whole seconds.

        Without `user` it stays whose it was.

        With `expected_version` None the write always wins; 0 means that there must be no state yet.

        Raises:
            ConflictError: the state is at another version, which the error names (0: there is none).
        """

    def delete_state(self, session: AgentSession, *, expected_version: int | None) -> None:
        """Remove the state.

        Raises:
            NotFoundError: there is none.
            ConflictError: it is at another version than the expected one.
        """

    def list_states(
        self, tenant: str, agent: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[StateInfo]:
        """Return an agent's sessions by id; a page may be empty and still not the last."""
