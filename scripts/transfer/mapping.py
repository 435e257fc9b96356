"""Whose events an import makes: the user that is named, or each whom a map names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from membus.core.errors import InvalidError
from membus.core.event import EVENT_BYTES_MAX, Event, RecordedEvent
from membus.core.identity import Owner
from membus.facts.corrections import RESERVED_TYPE_PREFIX, observe_correction
from membus.transfer.model import copied_conversation_id, natural_id
from scripts.transfer.rows import ArchiveRow, ImportableEvent, RejectedRow


@dataclass
class EventMapper:
    """`users` maps the names of the source to users here; without it all that is found is `user`'s.

    `at` is the moment of what names none, `heard_at` that of what membus hears of only now.
    """

    tenant: str
    source: str
    heard_at: datetime
    user: str | None = None
    users: Mapping[str, str] | None = None
    at: datetime | None = None
    _first: str | None = field(default=None, init=False)

    def map_owner(self, found: ImportableEvent | ArchiveRow) -> Owner | RejectedRow:
        """Return whose it becomes. Never make two people one.

        With `user`, a file is about one of its users.
        """
        if self.users is not None:
            user = self.users.get(found.user or "")
            if user is None:
                return RejectedRow(found.where, f"its user {found.user or '(none)'} is not in the map")
            return Owner(tenant=self.tenant, user=user)
        self._first = self._first or found.user
        if found.user not in {None, self._first}:
            return RejectedRow(
                found.where, f"it is about {found.user}, what came before about {self._first}: use --map"
            )
        return Owner(tenant=self.tenant, user=self.user or "")

    def map_user(self, name: str) -> str | None:
        """Return who somebody of the source is here, None where nobody said."""
        if self.users is not None:
            return self.users.get(name)
        return self.user if name == self._first else None

    def map_event(self, found: ImportableEvent) -> RecordedEvent | RejectedRow:
        """Return the event that is found, the same one whenever it is read."""
        owner = self.map_owner(found)
        if isinstance(owner, RejectedRow):
            return owner
        occurred_at = found.occurred_at or self.at
        if occurred_at is None:
            return RejectedRow(found.where, "it does not say when: name a moment with --at")
        try:
            recorded = self._recorded(found, owner, occurred_at)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            return RejectedRow(found.where, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        problem = _problem(recorded)
        return RejectedRow(found.where, problem) if problem else recorded

    def _recorded(self, found: ImportableEvent, owner: Owner, occurred_at: datetime) -> RecordedEvent:
        event = Event(
            event_id=self._id(found, owner),
            tenant_id=owner.tenant,
            user_id=owner.user,
            agent_id=found.agent or "default",
            session_id=self._session(found, owner),
            type=found.type,
            occurred_at=occurred_at,
            payload=self._payload(found, owner) if found.remember else {},
            origin=found.origin,
            remember=found.remember,
        )
        return RecordedEvent(event=event, learned_at=found.learned_at or self.heard_at)

    def _session(self, found: ImportableEvent, owner: Owner) -> str | None:
        """A turn's session is its conversation, which has another name under another user."""
        told = found.payload.get("conversation_id")
        return self._conversation(told, found, owner) if told and told == found.session else found.session

    def _payload(self, found: ImportableEvent, owner: Owner) -> dict[str, Any]:
        told = found.payload.get("conversation_id")
        renames = {"conversation_id": self._conversation(told, found, owner)} if isinstance(told, str) else {}
        return found.payload | renames

    def _conversation(self, named: str, found: ImportableEvent, owner: Owner) -> str:
        return (
            copied_conversation_id(named, owner.user)
            if self.source == "membus" and found.user != owner.user
            else named
        )

    def _id(self, found: ImportableEvent, owner: Owner) -> str:
        """An event of membus that stays with its user stays the same event.

        What is there already is not made twice.
        """
        if self.source == "membus" and found.user == owner.user:
            return found.source_id
        return natural_id(self.source, owner.user, found.user, found.source_id)


def read_user_map(path: Path) -> dict[str, str]:
    """Return the users by their names in the source; the file is one JSON object.

    Raises:
        InvalidError: it is none, or names what is no user.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(user, str) for user in found.values()):
        raise InvalidError(f'{path} is no map: write {{"name in the source": "user here"}}')
    return {name: parse_owner("any", user).user for name, user in found.items()}


def parse_owner(tenant: str, user: str) -> Owner:
    try:
        return Owner(tenant=tenant, user=user)
    except ValidationError as error:
        raise InvalidError(f"{user} is no user: use letters, digits and any of . _ : @ + = ~ | -") from error


def current_time() -> datetime:
    return datetime.now(UTC)


def _problem(recorded: RecordedEvent) -> str | None:
    event = recorded.event
    if len(json.dumps(event.payload, ensure_ascii=False).encode()) > EVENT_BYTES_MAX:
        return f"it is larger than the {EVENT_BYTES_MAX} bytes that an event takes"
    if event.type.startswith(RESERVED_TYPE_PREFIX) and not observe_correction(recorded):
        return f"{event.type} is what membus says itself"
    return None
