"""A figure as a table: a title, columns, and rows of text."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table as Printed


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def show(figure: Table, console: Console) -> None:
    printed = Printed(*figure.columns, title=figure.title, box=box.SIMPLE, title_justify="left")
    for row in figure.rows:
        printed.add_row(*row)
    console.print(printed)
