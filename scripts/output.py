"""What the operators' commands print: tables for people, JSON for programs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.prompt import Confirm
from rich.table import Table
from rich.text import Text

Row = dict[str, str | list[str] | None]
GAP = 2
"""Spaces between columns."""
BRIEFEST = 3
"""Of fewer columns a table says too little."""
_NUMBER = re.compile(r"-|-?[\d,]*\.?\d+(?:e-?\d+)?%?")


@dataclass(frozen=True)
class Output:
    """Answers go to standard output.

    Remarks about them go to standard error, so that answers can be piped.
    """

    as_json: bool

    def print_rows(self, rows: Sequence[Row], *, nothing: str, brief: Sequence[str] = ()) -> None:
        """Print a table.

        Where it is too wide, of the first `brief` columns that have room, else row below row.
        """
        if self.as_json:
            print(json.dumps(rows, indent=2))
        elif rows:
            self._draw(
                [{name: _text(row.get(name)) for name in _filled_columns(rows)} for row in rows], brief
            )
        else:
            self.print_remark(nothing)

    def print_dry_run(self, what: str, row: Row) -> None:
        """Say what a rehearsal would have done; programs get the row it would have left."""
        if self.as_json:
            print(json.dumps([row | {"dry_run": "true"}], indent=2))
        else:
            self.print_remark(f"would {what}; nothing was done")

    def _draw(self, rows: list[dict[str, str]], brief: Sequence[str]) -> None:
        console = Console()
        narrower = (brief[:columns] for columns in range(len(brief), BRIEFEST - 1, -1))
        short = ([{name: row[name] for name in names if name in row} for row in rows] for names in narrower)
        for each in (rows, *short):
            if sum(width + GAP for width in _least_widths(each).values()) - GAP <= console.width:
                console.print(_grid(each, console.width))
                if left := len(rows[0]) - len(each[0]):
                    self.print_remark(f"{left} more columns on a wider terminal, or with --json")
                return
        for number, row in enumerate(rows):
            console.print(*([""] if number else []), _block(row), sep="\n")

    def print_answer(self, text: str, row: Row, *, remark: str) -> None:
        """Print `text` on a line of its own with a remark, or the whole of `row` as JSON."""
        print(json.dumps(row, indent=2) if self.as_json else text)
        if not self.as_json:
            self.print_remark(remark)

    @property
    def is_quiet(self) -> bool:
        """Whether nobody would see anything move: a program reads, or a pipe."""
        return self.as_json or not self.progress_console().is_terminal

    @staticmethod
    def progress_console() -> Console:
        """Return where progress is drawn: a terminal sees it move, a pipe sees nothing of it."""
        return Console(stderr=True)

    def progress_bar(self) -> Progress:
        """Return a bar that counts; programs see nothing of it."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        return Progress(*columns, console=self.progress_console(), disable=self.is_quiet, transient=True)

    @staticmethod
    def ask_confirmation(question: str) -> bool:
        """Return whether the person at the terminal says yes; without a word they say no."""
        return Confirm.ask(question, console=Console(stderr=True), default=False)

    @staticmethod
    def print_remark(text: str) -> None:
        Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


def _filled_columns(rows: Sequence[Row]) -> list[str]:
    """Return the columns in which any row says something; those of the first row, where none does."""
    return [name for name in rows[0] if any(row.get(name) for row in rows)] or list(rows[0])


def _least_widths(rows: Sequence[dict[str, str]]) -> dict[str, int]:
    """Return how narrow each column may be: no word of it is ever broken, least of all a number."""
    said = {name: [_heading(name), *(row[name] for row in rows)] for name in rows[0]}
    return {
        name: max(cell_len(word) for text in texts for word in text.split()) for name, texts in said.items()
    }


def _widths(rows: Sequence[dict[str, str]], room: int) -> dict[str, int]:
    """Share the room: each column has its least, and who wants little more has it before who wants much."""
    widths = _least_widths(rows)
    wanted = {
        name: max(cell_len(text) for text in (_heading(name), *(row[name] for row in rows)))
        for name in widths
    }
    spare = room - sum(widths.values()) - GAP * (len(widths) - 1)
    for left, name in enumerate(sorted(widths, key=lambda name: widths[name] - wanted[name])[::-1], 1):
        more = min(wanted[name] - widths[name], spare // (len(widths) - left + 1))
        widths[name], spare = widths[name] + more, spare - more
    return widths


def _grid(rows: Sequence[dict[str, str]], room: int) -> Table:
    grid = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    for name, width in _widths(rows, room).items():
        counted = all(_NUMBER.fullmatch(row[name]) for row in rows)
        grid.add_column(_heading(name), justify="right" if counted else "left", width=width, overflow="fold")
    for row in rows:
        grid.add_row(*map(Text, row.values()))  # an ARN is no markup, `:secret:` no picture
    return grid


def _block(row: dict[str, str]) -> Table:
    """Return one row as lines of name and value."""
    block = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    block.add_column(style="bold", no_wrap=True)
    block.add_column(overflow="fold")
    for name, value in row.items():
        block.add_row(_heading(name), Text(value))
    return block


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _text(value: str | list[str] | None) -> str:
    return " ".join(value) if isinstance(value, list) else value or "-"
