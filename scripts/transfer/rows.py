"""The rows of an import: what a record of another system becomes, with its place in the file.

Files are JSON lines or one JSON document, of any size: lists are read item by item.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from scripts.transfer.json_files import StreamableJson, open_json, restore_numbers

_ID: TypeAdapter[str] = TypeAdapter(Id)
Fields = Mapping[str, Any]
MILLISECONDS = 10**11
"""As seconds this is the year 5138, as milliseconds 1973."""
LINE_MAX = 16 << 20
"""A longer first line is a document without line breaks."""


@dataclass(frozen=True)
class ImportableEvent:
    """A record that becomes an event; `source_id` and `user` are its names in the other system.

    `occurred_at` is None if the record has no time, `learned_at` if membus learns of it only now.
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
    """A record that cannot be imported, and why."""

    where: str
    why: str


@dataclass(frozen=True)
class SkippedRow:
    """A valid record that is not a memory of a user."""

    where: str
    why: str


@dataclass(frozen=True)
class ArchiveRow:
    """A row of a membus export that is no event: of `section`, of `user` as of `at`."""

    where: str
    section: str
    user: str
    at: datetime
    fields: dict[str, Any]


ImportRow = ImportableEvent | ArchiveRow | RejectedRow | SkippedRow


@dataclass(frozen=True)
class SourceRecord:
    """One object of a file, e.g. at `item 2 of messages`; `around` is the object with its list."""

    where: str
    fields: Fields
    around: Fields = field(default_factory=dict)

    def get_first(self, *names: str) -> Any:
        """Return the first of these fields that has a value, in the record or around it."""
        found = (self.fields.get(name, self.around.get(name)) for name in names)
        return next((each for each in found if each), None)


def make_event(
    record: SourceRecord,
    source: str,
    source_id: Any,
    text: Any,
    *,
    used: Iterable[str],
    role: str | None = None,
    user: Any = None,
    agent: Any = None,
    session: Any = None,
    at: Any = None,
) -> ImportRow:
    """Return a message of `role`, or without a role a statement without a known speaker.

    Fields that are not `used` are kept in the payload.
    """
    if not isinstance(text, str) or is_blank(text):
        return RejectedRow(record.where, "it has no text")
    try:
        occurred_at = parse_timestamp(at)
    except InvalidError as error:
        return RejectedRow(record.where, error.detail)
    named = str(source_id) if source_id is not None else digest(record.fields)
    known = set(used)
    rest = {name: each for name, each in record.fields.items() if name not in known and each is not None}
    payload = {"text": text, **({"role": role} if role else {}), "source": source, "source_id": named}
    return ImportableEvent(
        record.where,
        named,
        None if user is None else str(user),
        "message.sent" if role else IMPORTED_EVENT_TYPE,
        occurred_at,
        payload | ({"fields": rest} if rest else {}),
        agent=as_id(agent),
        session=as_id(session),
    )


def parse_timestamp(value: Any) -> datetime | None:
    """Return a time of ISO 8601, epoch seconds or milliseconds; UTC without a zone, None for no value.

    Raises:
        InvalidError: it is not a time.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > MILLISECONDS else value, UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidError(f"{value!r} is not a time") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def as_id(value: Any) -> str | None:
    """Return the value if it is a valid id, else an id made from it; None for no value."""
    if value is None or value == "":
        return None
    try:
        return _ID.validate_python(str(value))
    except ValidationError:
        return f"id-{digest(value)}"


def digest(value: Any) -> str:
    """Return an id made from the content of a record."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]


def read_records(path: Path, *lists: str, unless: str = "") -> Iterator[SourceRecord | RejectedRow]:
    """Yield the objects of a file of JSON lines or of one JSON document.

    An object with one of `lists` is a page of an API's answers and stands for the items of the list, except
    an object with the field `unless`, which is a record itself.
    """
    if _is_lines(path):
        for where, value in _read_lines(path):
            yield from _expand(where, value, lists, unless)
        return
    try:
        outline = _read_outline(path, lists)
    except InvalidError as error:
        yield RejectedRow("the file", error.detail)
        return
    if isinstance(outline, list):
        for number, each in enumerate(_read_items(path, ""), 1):
            yield from _expand(f"item {number}", each, lists, unless)
    elif isinstance(outline, dict) and unless not in outline:
        yield from _expand_page("item 1", outline, lists, lambda name: _read_items(path, name))
    else:
        yield from _expand("item 1", _parse_json(_read_text(path)), (), unless)


def _is_lines(path: Path) -> bool:
    """Return whether a file has one value a line, by its name or its first line."""
    if path.suffix == ".jsonl":
        return True
    with open_json(path) as file:
        try:
            json.loads(file.readline(LINE_MAX))
        except ValueError:
            return False
    return True


def _read_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each value with its place; an invalid line, also by its UTF-8, is an InvalidError."""
    with open_json(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield f"line {number}", _parse_json(line)


def _read_outline(path: Path, lists: tuple[str, ...]) -> Any:
    """Return the document with these lists of its top, or the list that it is, empty.

    Raises:
        InvalidError: it is not valid JSON. No record of an incomplete file is read: what is missing may say
            whose it is.
    """
    builder, within = ijson.ObjectBuilder(), None
    try:
        with open_json(path) as file:
            for prefix, event, value in ijson.parse(StreamableJson(file), use_float=True):
                if within is not None and (prefix, event) != (within, "end_array"):
                    continue
                within = None
                builder.event(event, value)
                if event == "start_array" and (prefix == "" or prefix in lists):
                    within = prefix
    except (ijson.JSONError, UnicodeError) as error:
        raise InvalidError(f"it is not valid JSON: {str(error).splitlines()[0]}") from error
    outline = _parse_json(restore_numbers(json.dumps(builder.value)))
    if isinstance(outline, InvalidError):
        raise outline
    return outline


def _read_items(path: Path, name: str) -> Iterator[Any]:
    """Yield the items of a list of the document's top, or of the list that it is."""
    with open_json(path) as file:
        for item in ijson.items(StreamableJson(file), f"{name}.item" if name else "item", use_float=True):
            yield _parse_json(restore_numbers(json.dumps(item)))


def _read_text(path: Path) -> str:
    with open_json(path) as file:
        return file.read()


def _parse_json(text: str) -> Any:
    """Return the value, or an InvalidError in its place."""
    try:
        return strict_json.parse_strict_json(text)
    except InvalidError as error:
        return error


def _expand(
    where: str, value: Any, lists: tuple[str, ...], unless: str
) -> Iterator[SourceRecord | RejectedRow]:
    if isinstance(value, list):
        for number, each in enumerate(value, 1):
            yield from _expand(f"{_within(where)}item {number}", each, lists, unless)
    elif isinstance(value, dict):
        yield from _expand_page(where, value, () if unless in value else lists, value.__getitem__)
    else:
        yield _make_record(where, value, {})


def _expand_page(
    where: str, page: Fields, lists: tuple[str, ...], read_items: Callable[[str], Iterable[Any]]
) -> Iterator[SourceRecord | RejectedRow]:
    """Yield the items of a page's lists, or the page itself as a record if it has none."""
    names = [name for name in lists if isinstance(page.get(name), list)]
    around = {name: each for name, each in page.items() if name not in names}
    if not names:
        yield SourceRecord(where, page)
    for name in names:
        for number, each in enumerate(read_items(name), 1):
            yield _make_record(f"{_within(where)}item {number} of {name}", each, around)


def _within(where: str) -> str:
    return "" if where == "item 1" else f"{where}, "


def _make_record(where: str, value: Any, around: Fields) -> SourceRecord | RejectedRow:
    if isinstance(value, dict):
        return SourceRecord(where, value, around)
    return RejectedRow(where, value.detail if isinstance(value, InvalidError) else "it is not an object")
