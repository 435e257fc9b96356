"""JSON files of any size: one value a line, or one document whose lists are read item by item."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson

from membus.domain import strict_json
from membus.errors import InvalidError
from scripts.transfer.rows import RejectedRow, SourceRecord

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
