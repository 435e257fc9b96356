"""Maps the rows of an import to events of users here: one user for all of them, or the users of a map."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from membus.core.errors import InvalidError
from membus.core.event import EVENT_BYTES_MAX, Event, RecordedEvent
from membus.core.identity import Owner
from membus.facts.corrections import RESERVED_TYPE_PREFIX, observe_correction
from membus.transfer.model import copied_conversation_id, natural_id
from scripts.transfer.rows import ArchiveRow, ImportableEvent, RejectedRow
from scripts.validation import explain_invalid


@dataclass
class EventMapper:
    """`users` maps names in the file to users here; without it all rows are those of `user`.

    `at` is the time of events without one, `learned_at` the time at which membus learns of an event that does
    not say it.
    """

    tenant: str
    source: str
    learned_at: datetime
    user: str | None = None
    users: Mapping[str, str] | None = None
    at: datetime | None = None
    _first: str | None = field(default=None, init=False)

    def map_owner(self, row: ImportableEvent | ArchiveRow) -> Owner | RejectedRow:
        """Return the owner of a row; two users never become one unless the map says so."""
        if self.users is not None:
            user = self.users.get(row.user or "")
            if user is None:
                return RejectedRow(row.where, f"its user {row.user or '(none)'} is not in the map")
            return Owner(tenant=self.tenant, user=user)
        self._first = self._first or row.user
        if row.user not in {None, self._first}:
            reason = f"it is about {row.user}, records before it about {self._first}: use --map"
            return RejectedRow(row.where, reason)
        return Owner(tenant=self.tenant, user=self.user or "")

    def map_user(self, name: str) -> str | None:
        """Return the user here of a name in the file, None if the operator named none."""
        if self.users is not None:
            return self.users.get(name)
        return self.user if name == self._first else None

    def map_event(self, row: ImportableEvent) -> RecordedEvent | RejectedRow:
        """Return the event of a row, the same one in every import."""
        owner = self.map_owner(row)
        if isinstance(owner, RejectedRow):
            return owner
        occurred_at = row.occurred_at or self.at
        if occurred_at is None:
            return RejectedRow(row.where, "it does not say when: name a time with --at")
        try:
            recorded = self._make_event(row, owner, occurred_at)
        except ValidationError as error:
            return RejectedRow(row.where, explain_invalid(error))
        problem = _find_problem(recorded)
        return RejectedRow(row.where, problem) if problem else recorded

    def _make_event(self, row: ImportableEvent, owner: Owner, occurred_at: datetime) -> RecordedEvent:
        is_same_event = self.source == "membus" and row.user == owner.user
        payload, session = row.payload, row.session
        conversation = payload.get("conversation_id")
        if self.source == "membus" and not is_same_event and isinstance(conversation, str):
            # The user gets a copy of the conversation, and a turn's session is its conversation.
            copied = copied_conversation_id(conversation, owner.user)
            session = copied if session == conversation else session
            payload = payload | {"conversation_id": copied}
        event = Event(
            event_id=row.source_id
            if is_same_event
            else natural_id(self.source, owner.user, row.user, row.source_id),
            tenant_id=owner.tenant,
            user_id=owner.user,
            agent_id=row.agent or "default",
            session_id=session,
            type=row.type,
            occurred_at=occurred_at,
            payload=payload if row.remember else {},
            origin=row.origin,
            remember=row.remember,
        )
        return RecordedEvent(event=event, learned_at=row.learned_at or self.learned_at)


def read_user_map(path: Path) -> dict[str, str]:
    """Return the users here by their names in the file to import.

    Raises:
        InvalidError: the file is not a JSON object of valid users.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(user, str) for user in found.values()):
        raise InvalidError(f'{path} is not a map: write {{"name in the source": "user here"}}')
    return {name: parse_owner("any", user).user for name, user in found.items()}


def parse_owner(tenant: str, user: str) -> Owner:
    try:
        return Owner(tenant=tenant, user=user)
    except ValidationError as error:
        raise InvalidError(f"{user} is no user: use letters, digits and any of . _ : @ + = ~ | -") from error


def _find_problem(recorded: RecordedEvent) -> str | None:
    event = recorded.event
    if len(json.dumps(event.payload, ensure_ascii=False).encode()) > EVENT_BYTES_MAX:
        return f"it is larger than the {EVENT_BYTES_MAX} bytes that an event may have"
    if event.type.startswith(RESERVED_TYPE_PREFIX) and not observe_correction(recorded):
        return f"{event.type} is an event that only membus publishes"
    return None
