"""What commands print: tables for people, JSON for programs."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track
from rich.prompt import Confirm
from rich.table import Table
from rich.text import Text

T = TypeVar("T")
Row = dict[str, str | int | float | Decimal | list[str] | dict[str, Any] | None]
"""A Decimal is an amount of dollars; an object is for programs alone."""
GAP = 2
"""Spaces between columns."""
COLUMNS_MIN = 3
"""Of fewer columns a table says too little."""
EMPTY = "-"
CENT = Decimal("0.0001")
_NUMBER = re.compile(r"-|-?[\d,]*\.?\d+(?:e-?\d+)?%?")


@dataclass(frozen=True)
class Output:
    """Answers go to standard output, remarks about them to standard error."""

    as_json: bool

    def print_rows(self, rows: Sequence[Row], *, nothing: str = "", brief: Sequence[str] = ()) -> None:
        """Print a table, or the remark `nothing` if there are no rows.

        A table that is too wide has as many of the first `brief` columns as fit, or becomes a block for
        each row.
        """
        if self.as_json:
            print_json(rows)
        elif rows:
            texts = [{name: _format(row.get(name)) for name in rows[0]} for row in rows]
            names = [name for name in rows[0] if any(row[name] != EMPTY for row in texts)]
            self._draw([{name: row[name] for name in names or rows[0]} for row in texts], brief)
        else:
            self.print_remark(nothing)

    def print_dry_run(self, action: str, row: Row) -> None:
        """Say what a command would have done; programs get the row that it would have left."""
        if self.as_json:
            print_json([row | {"dry_run": "true"}])
        else:
            self.print_remark(f"would {action}; nothing was done")

    def print_answer(self, text: str, row: Row, *, remark: str) -> None:
        """Print `text` on a line of its own with a remark, or the whole of `row` as JSON."""
        if self.as_json:
            print_json(row)
        else:
            print(text)
            self.print_remark(remark)

    def _draw(self, rows: list[dict[str, str]], brief: Sequence[str]) -> None:
        console = Console()
        shorter = (brief[:columns] for columns in range(len(brief), COLUMNS_MIN - 1, -1))
        for names in (list(rows[0]), *shorter):
            shown = [{name: row[name] for name in names if name in row} for row in rows]
            if widths := _share_width(shown, console.width):
                console.print(_table(shown, widths))
                if hidden := len(rows[0]) - len(shown[0]):
                    self.print_remark(f"{hidden} more columns on a wider terminal, or with --json")
                return
        for number, row in enumerate(rows):
            console.print(*([""] if number else []), _block(row), sep="\n")

    @property
    def is_quiet(self) -> bool:
        """Whether a program reads the output, or a pipe, so that progress is not shown."""
        return self.as_json or not self.progress_console().is_terminal

    @staticmethod
    def progress_console() -> Console:
        return Console(stderr=True)

    def progress_bar(self) -> Progress:
        """Return a progress bar with a count; programs see nothing of it."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        return Progress(*columns, console=self.progress_console(), disable=self.is_quiet, transient=True)

    def track(self, items: Iterable[T], what: str) -> Iterable[T]:
        """Yield the items while a bar shows how many there were; programs see nothing of it."""
        console = self.progress_console()
        return track(items, what, console=console, disable=self.is_quiet, transient=True)

    @staticmethod
    def ask_confirmation(question: str) -> bool:
        """Return whether the operator answers yes; an empty answer is no."""
        return Confirm.ask(question, console=Console(stderr=True), default=False)

    @staticmethod
    def print_remark(text: str) -> None:
        Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=float))


def _share_width(rows: Sequence[dict[str, str]], room: int) -> dict[str, int] | None:
    """Return a width for each column, or None if a word would have to be broken.

    Each column gets the width of its longest word; columns that need little more get it first.
    """
    texts = {name: [_heading(name), *(row[name] for row in rows)] for name in rows[0]}
    widths = {
        name: max(cell_len(word) for text in column for word in text.split())
        for name, column in texts.items()
    }
    missing = {name: max(map(cell_len, column)) - widths[name] for name, column in texts.items()}
    spare = room - sum(widths.values()) - GAP * (len(widths) - 1)
    if spare < 0:
        return None
    for columns_left, name in zip(
        range(len(widths), 0, -1), sorted(missing, key=missing.__getitem__), strict=True
    ):
        more = min(missing[name], spare // columns_left)
        widths[name] += more
        spare -= more
    return widths


def _table(rows: Sequence[dict[str, str]], widths: dict[str, int]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    for name, width in widths.items():
        is_number = all(_NUMBER.fullmatch(row[name]) for row in rows)
        justify: Any = "right" if is_number else "left"
        table.add_column(_heading(name), justify=justify, width=width, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row.values()))  # an ARN is not markup, `:secret:` not a picture
    return table


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


def _format(value: str | float | Decimal | list[str] | dict[str, Any] | None) -> str:
    if isinstance(value, Decimal):
        # Hundredths of a cent, and two digits of what would be nothing else.
        return str(value.quantize(CENT)) if not value or value >= CENT else f"{value:.2g}"
    if isinstance(value, float):
        return f"{value:.12g}"
    text = " ".join(value) if isinstance(value, list) else str(value)
    return EMPTY if value is None else text or EMPTY
