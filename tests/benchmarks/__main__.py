"""`make bench`: every figure of this folder as a table.

A figure is a module here with a function `measure() -> Table`; `python -m tests.benchmarks import_time` runs
one. Figures are for reading: nothing asserts on a time.
"""

import importlib
import sys
from pathlib import Path

from rich.console import Console

from tests.benchmarks.table import show

NO_FIGURES = {"__main__", "aws_calls", "dynamo_stores", "table"}


def main() -> None:
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NO_FIGURES)
    wanted = sys.argv[1:] or names
    if unknown := sorted(set(wanted) - set(names)):
        sys.exit(f"bench: no figure {', '.join(unknown)}; there are {', '.join(names)}")
    console = Console(width=140)  # rows are longer than a terminal that nobody looks at
    for name in wanted:
        show(importlib.import_module(f"tests.benchmarks.{name}").measure(), console)


if __name__ == "__main__":
    main()
