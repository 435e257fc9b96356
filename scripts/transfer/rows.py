"""What a file of another system holds, record by record, with the place of each for whoever has to mend it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from membus.domain.event import EventOrigin
from membus.domain.identity import Id
from membus.domain.transfer import IMPORTED_EVENT_TYPE
from membus.domain.visible import is_blank
from membus.errors import InvalidError

_ID: TypeAdapter[str] = TypeAdapter(Id)
Fields = Mapping[str, Any]
MILLISECONDS = 10**11
"""As seconds this were the year 5138, as milliseconds it is 1973."""


@dataclass(frozen=True)
class ImportableEvent:
    """What becomes an event.

    `source_id` is its id where it comes from, `user` whom it is about there, if it says so.

    `occurred_at` is None where nothing says when; `learned_at` is None for what membus hears of only now.
    """

    where: str
    source_id: str
    user: str | None
    type: str
    occurred_at: datetime | None
    payload: dict[str, Any]
    agent: str | None = None
    session: str | None = None
    origin: EventOrigin = "producer"
    remember: bool = True
    learned_at: datetime | None = None


@dataclass(frozen=True)
class RejectedRow:
    """A record that cannot be read, and why."""

    where: str
    why: str


@dataclass(frozen=True)
class SkippedRow:
    """A record that can be read and is no memory of a user."""

    where: str
    why: str


@dataclass(frozen=True)
class ArchiveRow:
    """What an archive of membus holds besides events: a row of `section`, of `user` as of `at`."""

    where: str
    section: str
    user: str
    at: datetime
    fields: dict[str, Any]


ImportRow = ImportableEvent | ArchiveRow | RejectedRow | SkippedRow


@dataclass(frozen=True)
class SourceRecord:
    """One object of a file, e.g. at `line 3` or `item 2 of messages`.

    `around` is the object that holds its list.
    """

    where: str
    fields: Fields
    around: Fields = field(default_factory=dict)


def message_event(
    record: SourceRecord, source: str, source_id: Any, *, role: str, text: Any, **about: Any
) -> ImportRow:
    """Return what somebody is known to have said; only `user` is the user's own word."""
    payload = {"text": text, "role": role, "source": source}
    return _make_event(record, source_id, "message.sent", payload, about)


def statement_event(
    record: SourceRecord, source: str, source_id: Any, *, text: Any, **about: Any
) -> ImportRow:
    """Return what the other system holds to be so, in nobody's words."""
    return _make_event(record, source_id, IMPORTED_EVENT_TYPE, {"text": text, "source": source}, about)


def parse_timestamp(value: Any) -> datetime | None:
    """Return a moment of ISO 8601, epoch seconds or milliseconds, None where there is none.

    Without a zone it is UTC.

    Raises:
        InvalidError: it cannot be read.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > MILLISECONDS else value, UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidError(f"{value!r} is no moment") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def as_id(value: Any) -> str | None:
    """Return the value where membus takes it as an id, else one made from it; None for none."""
    if value is None or value == "":
        return None
    try:
        return _ID.validate_python(str(value))
    except ValidationError:
        return f"id-{digest(value)}"


def digest(value: Any) -> str:
    """Return what stands for a record that has no id: what it says."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _make_event(
    record: SourceRecord, source_id: Any, event_type: str, payload: dict[str, Any], about: Fields
) -> ImportRow:
    """Read what all formats have alike.

    `about` has `user`, `agent`, `session`, `at`, and `used`, the names read.
    """
    text = payload["text"]
    if not isinstance(text, str) or is_blank(text):
        return RejectedRow(record.where, "it has no text")
    rest = {
        name: value
        for name, value in record.fields.items()
        if name not in about["used"] and value is not None
    }
    try:
        occurred_at = parse_timestamp(about.get("at"))
    except InvalidError as error:
        return RejectedRow(record.where, error.detail)
    named = str(source_id) if source_id is not None else digest(record.fields)
    kept: dict[str, Any] = {"source_id": named} | ({"fields": rest} if rest else {})
    user = about.get("user")
    return ImportableEvent(
        record.where,
        named,
        None if user is None else str(user),
        event_type,
        occurred_at,
        payload | kept,
        agent=as_id(about.get("agent")),
        session=as_id(about.get("session")),
    )
