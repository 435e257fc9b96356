"""The main job of membus in one command: events become facts, and the facts change an answer."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import get_terminal_size

from rich.console import Console

from localstack.home import Stack
from scripts.demo import DemoError
from scripts.demo.sources import read_source
from scripts.demo.stack import INTERRUPTED, running_stack
from scripts.demo.story import run_demo

WEEK = Path(__file__).with_name("week.jsonl")
WIDTH_MAX = 110
STARTING = "The local stack, on this machine alone (a first start takes a minute or two):"


def main(arguments: Sequence[str] | None = None, *, start: Callable[[], Stack] = running_stack) -> int:
    """Return the exit code; `start` returns the running stack and takes the minute of a first run."""
    options = _parser().parse_args(arguments)
    width = min(get_terminal_size((100, 40)).columns, WIDTH_MAX)
    console, errors = (
        Console(width=width, highlight=False, emoji=False, stderr=stderr) for stderr in (False, True)
    )
    try:
        # The file first: a wrong path should not cost the minute that a first start takes.
        source = read_source(options.input, conversation=options.conversation, limit=options.limit)
        console.print(STARTING, style="dim")
        run_demo(start(), source, console)
    except DemoError as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        errors.print("\nStopped. The local stack may still be running: `make down` stops it.", markup=False)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    add = parser.add_argument
    add("--input", type=Path, default=WEEK, help="JSONL events, a LoCoMo file or a BEAM file")
    add("--limit", type=_positive, help="send only this many events")
    add("--conversation", type=_positive, default=1, help="which one of a LoCoMo file, from 1")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
