"""`make bench`: every figure of this folder as a table; nothing asserts on a time.

A figure is a module with a function `measure() -> Table`; `python -m tests.benchmarks import_time` runs one.
"""

import importlib
import sys
from pathlib import Path

from rich.console import Console

from tests.benchmarks.table import show


def main() -> None:
    modules = Path(__file__).parent.glob("*.py")
    names = sorted(path.stem for path in modules if "\ndef measure(" in path.read_text())
    wanted = sys.argv[1:] or names
    if unknown := sorted(set(wanted) - set(names)):
        sys.exit(f"bench: no figure {', '.join(unknown)}; there are {', '.join(names)}")
    console = Console(width=140)  # also where the output is no terminal
    for name in wanted:
        show(importlib.import_module(f"tests.benchmarks.{name}").measure(), console)


if __name__ == "__main__":
    main()
