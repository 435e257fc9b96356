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
WIDEST = 110


def main(arguments: Sequence[str] | None = None, *, start: Callable[[], Stack] = running_stack) -> int:
    """Return the exit code; `start` is where the minute of a first run goes."""
    options = _options(arguments)
    width = min(get_terminal_size((100, 40)).columns, WIDEST)
    console = Console(width=width, highlight=False, emoji=False)
    errors = Console(width=width, highlight=False, emoji=False, stderr=True)
    try:
        # the file first: a wrong path should not cost the minute that a first start takes
        source = read_source(options.input, conversation=options.conversation, limit=options.limit)
        console.print(
            "The local stack, on this machine alone (a first start takes a minute or two):", style="dim"
        )
        run_demo(start(), source, console)
    except DemoError as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        errors.print("\nStopped. The local stack may still be running: `make down` stops it.", markup=False)
        return INTERRUPTED
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--input", type=Path, default=WEEK, help="JSONL events, a LoCoMo or a BEAM file")
    parser.add_argument("--limit", type=_positive, help="send only this many events")
    parser.add_argument(
        "--conversation", type=_positive, default=1, help="which one of a LoCoMo file, from 1"
    )
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
