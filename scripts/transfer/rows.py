"""What a file of another system holds, record by record, with the place of each for whoever has to mend it.

JSON files of any size: one value a line, or one document whose lists are read item by item.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ijson
from pydantic import TypeAdapter, ValidationError

from membus.core import strict_json
from membus.core.errors import InvalidError
from membus.core.event import IMPORTED_EVENT_TYPE, EventOrigin
from membus.core.identity import Id
from membus.core.text.normalization import is_blank

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


LINE_MAX = 16 << 20
"""A first line that goes on for longer is a document without line breaks."""


def read_records(path: Path, *lists: str, unless: str = "") -> Iterator[SourceRecord | RejectedRow]:
    """Yield the objects of a file of JSON lines or of one JSON document, either of any size.

    An object that has one of `lists` stands for what the list holds: it is a page of an API's answers,
    `unless` it has what only a record has.
    """
    if _is_lines(path):
        for where, value in _lines(path):
            yield from _expand(where, value, lists, unless)
        return
    try:
        outline = _find_lists(path, lists)
        yield from _document(path, outline, lists, unless)
    except InvalidError as error:
        yield RejectedRow("the file", error.detail)


def _is_lines(path: Path) -> bool:
    """Whether a file holds one value a line: by its name, or because its first line is whole."""
    if path.suffix == ".jsonl":
        return True
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        return not isinstance(_parse_json(file.readline(LINE_MAX)), InvalidError)


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each value with its place, an InvalidError in place of what is none."""
    with path.open(
        encoding="utf-8", errors="surrogateescape"
    ) as file:  # what is no UTF-8 is that line's fault alone
        for number, line in enumerate(file, 1):
            if line.strip():
                yield f"line {number}", _parse_json(line)


def _find_lists(path: Path, lists: tuple[str, ...]) -> Any:
    """Return the document with these lists of its top, or itself, empty.

    Raises:
        InvalidError: it is no JSON: of a file that is cut off nothing is taken, for what follows may say
            whose it is.
    """
    builder, within = ijson.ObjectBuilder(), None
    try:
        with path.open("rb") as file:
            for prefix, event, value in ijson.parse(file, use_float=True):
                if within is not None and (prefix, event) != (within, "end_array"):
                    continue
                within = None
                builder.event(event, value)
                if event == "start_array" and (prefix == "" or prefix in lists):
                    within = prefix
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise InvalidError(f"it is not valid JSON: {str(error).splitlines()[0]}") from error
    return builder.value


def _items(path: Path, name: str) -> Iterator[Any]:
    """Yield the items of a list of the document's top, or of itself.

    An InvalidError in place of what is none.
    """
    with path.open("rb") as file:
        for item in ijson.items(file, f"{name}.item" if name else "item", use_float=True):
            yield _parse_json(json.dumps(item))


def _parse_json(text: str) -> Any:
    try:
        return strict_json.parse_strict_json(text)
    except InvalidError as error:
        return error


def _document(
    path: Path, outline: Any, lists: tuple[str, ...], unless: str
) -> Iterator[SourceRecord | RejectedRow]:
    """Yield what one document holds; `outline` is all of it but the items of its lists."""
    if isinstance(outline, list):
        for number, each in enumerate(_items(path, ""), 1):
            yield from _expand(f"item {number}", each, lists, unless)
        return
    held = [name for name in lists if isinstance(outline, dict) and isinstance(outline.get(name), list)]
    if not held or unless in outline:  # one record, whose own lists are part of it
        whole = _parse_json(path.read_text(encoding="utf-8")) if held else outline
        yield from _expand("item 1", whole, (), unless)
        return
    around = {name: each for name, each in outline.items() if name not in held}
    for name in held:
        for number, each in enumerate(_items(path, name), 1):
            place = f"item {number} of {name}"
            yield (
                SourceRecord(place, each, around)
                if isinstance(each, dict)
                else RejectedRow(place, _describe_error(each))
            )


def _describe_error(value: Any) -> str:
    return value.detail if isinstance(value, InvalidError) else "it is no object"


def _expand(
    where: str, value: Any, lists: tuple[str, ...], unless: str
) -> Iterator[SourceRecord | RejectedRow]:
    if isinstance(value, list):
        for number, each in enumerate(value, 1):
            yield from _expand(
                f"item {number}" if where == "item 1" else f"{where}, item {number}", each, lists, unless
            )
        return
    if not isinstance(value, dict):
        yield RejectedRow(where, _describe_error(value))
        return
    held = [name for name in lists if isinstance(value.get(name), list) and unless not in value]
    if not held:
        yield SourceRecord(where, value)
    around = {name: each for name, each in value.items() if name not in held}
    for name in held:
        for number, each in enumerate(value[name], 1):
            place = f"item {number} of {name}" if where == "item 1" else f"{where}, item {number} of {name}"
            yield (
                SourceRecord(place, each, around)
                if isinstance(each, dict)
                else RejectedRow(place, "it is no object")
            )
