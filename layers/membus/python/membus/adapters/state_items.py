"""Where a state lies, and what says whose it is.

Pk `T#<tenant>#U#<user>`, sk `STATE#<agent>#<session>`, as long.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from membus.domain.identity import Owner
from membus.domain.state import AgentSession

NOTE_PREFIX = "STATE#"


def session_prefix(session: AgentSession) -> str:
    """Return where a session's large documents lie, those of lost writes too."""
    name = hashlib.sha256(f"{session.agent}\n{session.session_id}".encode()).hexdigest()[:40]
    return f"states/{session.tenant}/{name}/"


def state_key(session: AgentSession) -> dict[str, str]:
    return {"pk": f"T#{session.tenant}#A#{session.agent}", "sk": f"STATE#{session.session_id}"}


def note_item(session: AgentSession, user: str, expires_at: int) -> dict[str, Any]:
    pk = f"T#{session.tenant}#U#{user}"
    return {"pk": pk, "sk": f"{NOTE_PREFIX}{session.agent}#{session.session_id}", "expires_at": expires_at}


def sessions_of_user(owner: Owner, items: Iterable[dict[str, Any]]) -> Iterator[AgentSession]:
    """Yield the sessions that a user's own items name."""
    for item in items:
        if str(item["sk"]).startswith(NOTE_PREFIX):
            _, agent, session_id = str(item["sk"]).split("#")
            yield AgentSession(tenant=owner.tenant, agent=agent, session_id=session_id)
