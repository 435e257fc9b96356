"""JSON files as other systems write them: with a byte order mark, in UTF-16, with NaN and Infinity."""

import codecs
import re
from io import TextIOWrapper
from pathlib import Path
from typing import IO

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE = re.compile(
    r'"(?:[^"\\]|\\.)*(?P<open>")?|-?(?:NaN|Infinity)|-?\d{19,}(?:\.\d+)?|-?\d+(?:\.\d+)?[eE]\+?\d{3,}',
    re.DOTALL,
)
"""A text, or a number that not every parser reads."""
_STRING_END = re.compile(r'(?:[^"\\]|\\.)*(?P<open>")?', re.DOTALL)
_HELD, _RESTORED = '{{"number as written": "{}"}}', re.compile(r'\{"number as written": "([^"]+)"\}')


def open_json(path: Path) -> TextIOWrapper:
    """Open a file as text in the encoding that its byte order mark names, UTF-8 without one.

    A byte that is no UTF-8 becomes a lone surrogate, which strict JSON refuses with the record that holds it.
    """
    with path.open("rb") as file:
        start = file.read(4)
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    return path.open(
        encoding=encoding, errors="surrogateescape" if encoding.startswith("utf-8") else "strict"
    )


class StreamableJson:
    """A file of JSON as bytes that a streaming parser reads.

    A number that such a parser may refuse, and its whole file with it, stands in an object as a text:
    `restore_numbers` puts it back into the JSON of the one record that holds it.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._in_string = False

    def read(self, size: int) -> bytes:
        text = self._file.read(size)
        # A name, a number or an escape is not cut: the rest of it is read, too.
        while size and text and (text[-1] in "\\+-." or text[-1].isalnum()):
            following = self._file.read(1)
            text += following
            if not following:
                break
        return self._with_numbers(text).encode("utf-8", errors="surrogateescape")

    def _with_numbers(self, text: str) -> str:
        begin = 0
        if self._in_string:
            ended = _STRING_END.match(text)
            begin = ended.end() if ended else 0
            self._in_string = not (ended and ended["open"])
        return text[:begin] + _PIECE.sub(self._replace, text[begin:])

    def _replace(self, found: re.Match[str]) -> str:
        if found[0].startswith('"'):
            self._in_string = found["open"] is None
            return found[0]
        return _HELD.format(found[0])


def restore_numbers(text: str) -> str:
    """Return the JSON of a record with its numbers as they were written."""
    return _RESTORED.sub(r"\1", text)
