"""What the operators' commands print: tables for people, JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.prompt import Confirm
from rich.table import Table
from rich.text import Text

Row = dict[str, str | list[str] | None]


@dataclass(frozen=True)
class Output:
    """Answers go to standard output; remarks about them go to standard error, so that answers can be piped."""

    as_json: bool

    def rows(self, rows: Sequence[Row], *, nothing: str) -> None:
        if self.as_json:
            print(json.dumps(rows, indent=2))
        elif rows:
            grid = Table(box=None, header_style="bold", pad_edge=False)
            for column in rows[0]:
                grid.add_column(column.replace("_", " "), overflow="fold")
            for row in rows:
                grid.add_row(
                    *(Text(_text(value)) for value in row.values())
                )  # an ARN is no markup, `:secret:` no picture
            Console().print(grid)
        else:
            self.remark(nothing)

    def answer(self, text: str, row: Row, *, remark: str) -> None:
        """Print `text` on a line of its own with a remark, or the whole of `row` as JSON."""
        print(json.dumps(row, indent=2) if self.as_json else text)
        if not self.as_json:
            self.remark(remark)

    @staticmethod
    def progress() -> Console:
        """Return where progress is drawn: a terminal sees it move, a pipe sees nothing of it."""
        return Console(stderr=True)

    def bar(self) -> Progress:
        """Return a bar that counts; programs see nothing of it."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        return Progress(*columns, console=self.progress(), disable=self.as_json, transient=True)

    @staticmethod
    def ask(question: str) -> bool:
        """Return whether the person at the terminal says yes; without a word they say no."""
        return Confirm.ask(question, console=Console(stderr=True), default=False)

    @staticmethod
    def remark(text: str) -> None:
        Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


def _text(value: str | list[str] | None) -> str:
    return " ".join(value) if isinstance(value, list) else value or "-"
