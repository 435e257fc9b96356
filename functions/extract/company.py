"""Who is read in one question: somebody alone, or people of one tenant who talk in the same sessions."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from membus.domain.event import RecordedEvent
from membus.domain.instructions import is_prompt_injection

if TYPE_CHECKING:
    from membus.domain.identity import Owner

SessionSet = frozenset[tuple[str, str]]


def group_by_shared_session(events: Iterable[RecordedEvent]) -> "list[list[Owner]]":
    """Return the owners of the events, those together whose words may stand in one question.

    They are of one tenant, all their words here were said in the same sessions of the same agents, and
    nothing they said would turn a reader around: whoever tries is read alone. Nobody has more than one
    company, so there are never more questions than people.
    """
    said: dict[Owner, list[RecordedEvent]] = {}
    for event in events:
        said.setdefault(event.event.owner, []).append(event)
    gathered: dict[object, list[Owner]] = {}
    for owner, mine in said.items():
        sessions = _shared_sessions(mine)
        gathered.setdefault((owner.tenant, sessions) if sessions else owner, []).append(owner)
    return list(gathered.values())


def _shared_sessions(events: Sequence[RecordedEvent]) -> SessionSet | None:
    """Return where somebody spoke.

    None for whoever said nothing, or something outside any session, or steers.
    """
    spoken = [each.event for each in events if each.event.speech]
    if any(event.session_id is None or is_prompt_injection(event.speech or "") for event in spoken):
        return None
    return frozenset((event.agent_id, event.session_id or "") for event in spoken) or None
