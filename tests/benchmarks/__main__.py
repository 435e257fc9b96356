"""`make bench`: every figure of this folder as a table.

A figure is a module here with a function `measure() -> Table`; `python -m tests.benchmarks import_time` runs one.
Figures are for reading: nothing asserts on a time.
"""

import importlib
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as Printed

from tests.benchmarks.table import Table

NO_FIGURES = {"__main__", "table"}


def main() -> None:
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NO_FIGURES)
    wanted = sys.argv[1:] or names
    if unknown := sorted(set(wanted) - set(names)):
        sys.exit(f"bench: no figure {', '.join(unknown)}; there are {', '.join(names)}")
    console = Console(width=140)  # rows are longer than a terminal that nobody looks at
    for name in wanted:
        _show(importlib.import_module(f"tests.benchmarks.{name}").measure(), console)


def _show(figure: Table, console: Console) -> None:
    printed = Printed(*figure.columns, title=figure.title, box=box.SIMPLE, title_justify="left")
    for row in figure.rows:
        printed.add_row(*row)
    console.print(printed)


if __name__ == "__main__":
    main()
