"""Notes that a model keeps for itself: texts under paths below `/memories`, edited by line and by words.

The commands and the words of their answers are those of Anthropic's memory tool, which models are trained on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from membus.core.errors import InvalidError, NotFoundError

NOTES_ROOT = "/memories"
SEGMENT = re.compile(r"[\w@+=~,()-][\w .@+=~,()-]{0,99}")
DEPTH_MAX = 8
TEXT_CHARACTERS_MAX, NOTES_MAX = 100_000, 200
CONTEXT_LINES = 2
"""Lines shown before and behind a change."""


@dataclass(frozen=True)
class Notes:
    """Every change returns new notes.

    Raises:
        InvalidError: a path outside `/memories`, a change that cannot be made; the detail is for the model to
            read.
        NotFoundError: nothing is there.
    """

    texts: Mapping[str, str]

    def view_note(self, path: str, lines: tuple[int, int] | None = None) -> str:
        """Return a note with its lines numbered, from the first to the last of `lines` (-1.

        To the end), or a list.
        """
        path = validate_note_path(path)
        if path in self.texts:
            shown = number_lines(self.texts[path], *(lines or (1, -1)))
            return f"Here's the content of {path} with line numbers:\n{shown}"
        below = self._below(path)
        if not below and path != NOTES_ROOT:
            raise NotFoundError(f"The path {path} does not exist. Please provide a valid path.")
        head = f"Here're the files and directories up to 2 levels deep in {path}, excluding hidden items:"
        return "\n".join(
            [head, *(f"{_format_size(size)}\t{name}" for name, size in self._listed(path, below))]
        )

    def create_note(self, path: str, text: str) -> "Notes":
        path = self._free(validate_note_path(path))
        parents = path.split("/")
        if any("/".join(parents[:depth]) in self.texts for depth in range(3, len(parents))):
            raise InvalidError(f"A part of {path} is a file")
        return self._with(path, text)

    def replace_text(self, path: str, old: str, new: str) -> "Notes":
        text = self._text(path)
        found = text.count(old) if old else 0
        if not found:
            raise InvalidError(
                f"No replacement was performed, old_str `{old}` did not appear verbatim in "
                f"{validate_note_path(path)}."
            )
        if found > 1:
            where = ", ".join(str(number) for number, line in enumerate(text.split("\n"), 1) if old in line)
            raise InvalidError(
                f"No replacement was performed. Multiple occurrences of old_str `{old}` in lines: {where}. "
                "Please ensure it is unique"
            )
        return self._with(validate_note_path(path), text.replace(old, new))

    def insert_text(self, path: str, after: int, text: str) -> "Notes":
        lines = self._text(path).split("\n")
        if not 0 <= after <= len(lines):
            raise InvalidError(
                f"Invalid `insert_line` parameter: {after}. It should be within the range [0, {len(lines)}]."
            )
        return self._with(
            validate_note_path(path), "\n".join([*lines[:after], text.rstrip("\n"), *lines[after:]])
        )

    def delete_note(self, path: str) -> "Notes":
        path = validate_note_path(path)
        if path == NOTES_ROOT:
            raise InvalidError(f"Cannot delete the {NOTES_ROOT} directory itself")
        gone = self._there(path)
        return Notes({name: text for name, text in self.texts.items() if name not in gone})

    def rename_note(self, old: str, new: str) -> "Notes":
        old, new = validate_note_path(old), self._free(validate_note_path(new))
        if old == NOTES_ROOT or f"{new}/".startswith(f"{old}/"):
            raise InvalidError(f"Cannot move {old} into itself")
        moved = self._there(old)
        return Notes(
            {new + name[len(old) :] if name in moved else name: text for name, text in self.texts.items()}
        )

    def _with(self, path: str, text: str) -> "Notes":
        if len(text) > TEXT_CHARACTERS_MAX or len(self.texts.keys() | {path}) > NOTES_MAX:
            raise InvalidError(
                f"A file takes {TEXT_CHARACTERS_MAX} characters at most, and there are {NOTES_MAX} files"
            )
        return Notes({**self.texts, path: text})

    def _text(self, path: str) -> str:
        path = validate_note_path(path)
        if path not in self.texts:
            raise NotFoundError(f"The path {path} does not exist. Please provide a valid path.")
        return self.texts[path]

    def _free(self, path: str) -> str:
        if path in self.texts or path == NOTES_ROOT or self._below(path):
            raise InvalidError(f"{path} already exists")
        return path

    def _there(self, path: str) -> set[str]:
        found = {path} & self.texts.keys() or set(self._below(path))
        if not found:
            raise NotFoundError(f"The path {path} does not exist")
        return found

    def _below(self, path: str) -> list[str]:
        return sorted(name for name in self.texts if name.startswith(f"{path}/"))

    def _listed(self, path: str, below: list[str]) -> list[tuple[str, int]]:
        sizes = {path: 0}
        for name in below:
            parts = name.removeprefix(f"{path}/").split("/")
            size = len(self.texts[name].encode())
            sizes[path] += size
            for depth in (1, 2):
                if depth <= len(parts):
                    shown = f"{path}/{'/'.join(parts[:depth])}" + ("/" if depth < len(parts) else "")
                    sizes[shown] = sizes.get(shown, 0) + size
        return list(sizes.items())


def validate_note_path(path: str) -> str:
    """Return the path without a slash at its end; InvalidError for one that leaves `/memories` or is none."""
    root, *segments = path.removeprefix("/").removesuffix("/").split("/")
    fine = path.startswith("/") and f"/{root}" == NOTES_ROOT and len(segments) <= DEPTH_MAX
    if not fine or not all(SEGMENT.fullmatch(segment) for segment in segments):
        raise InvalidError(
            f"Path must be {NOTES_ROOT} or below it, of letters, digits and ._-@+=~,() and spaces, "
            f"got: {path}"
        )
    return "/".join(("", root, *segments))


def number_lines(text: str, first: int, last: int) -> str:
    lines = text.split("\n")
    first, last = max(1, first), len(lines) if last == -1 else last
    return "\n".join(
        f"{number:>6}\t{lines[number - 1]}" for number in range(first, min(last, len(lines)) + 1)
    )


def excerpt_around_change(text: str, change: str) -> str:
    """Return the lines around the first place where `change` stands."""
    line = text[: text.find(change)].count("\n") + 1
    return number_lines(text, line - CONTEXT_LINES, line + CONTEXT_LINES)


def _format_size(count: int) -> str:
    return f"{count}B" if count < 1024 else f"{count / 1024:.1f}K"  # noqa: PLR2004 - a kilobyte
