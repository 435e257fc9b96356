"""What every command shares: examples in its help, a rehearsal and a question before it acts, exit codes.

Days and moments as operators write them.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from enum import IntEnum
from textwrap import fill
from typing import Any

from membus.core.errors import InvalidError
from scripts.output import Output

PROGRAM = "python -m scripts"
HELP_COLUMNS = 80


class ExitCode(IntEnum):
    """What a command says to the shell; `docs/operations.md` explains them to people."""

    DONE = 0
    REFUSED = 1  # or failed: standard error says why in one line
    MISUSED = 2  # argparse says how it is used
    PARTLY = 3  # some of it is done, or something wants a look: running it again is safe
    INTERRUPTED = 130


class CommandParser(ArgumentParser):
    """A parser that is given its examples.

    What `changes` something can be rehearsed; what `asks` changes what no other command takes back, or costs
    money, and is done only when the operator agrees.
    """

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        changes: bool = False,
        asks: bool = False,
        **options: Any,
    ) -> None:
        lines = [f"  {PROGRAM} {example}" for example in examples]
        epilog = "\n".join(["examples:", *lines]) if lines else None
        if text := options.get("description"):
            options["description"] = fill(text, HELP_COLUMNS)
        options |= {"epilog": epilog, "formatter_class": RawDescriptionHelpFormatter}
        super().__init__(*args, **options)
        before = self.add_argument_group("before it changes anything")
        if changes or asks:
            before.add_argument("--dry-run", action="store_true", help="say what it would do, and do nothing")
        if asks:
            before.add_argument(
                "--yes", action="store_true", help="do not ask; needed where there is no terminal"
            )


def require_confirmation(
    arguments: Namespace, question: str, *, ask: Callable[[str], bool] = Output.ask_confirmation
) -> None:
    """Return if the operator says yes, by `--yes` or on the terminal.

    Raises:
        InvalidError: they say no, or there is nobody to ask.
    """
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise InvalidError(
            f"there is no terminal to ask on ({question}): say --yes to agree, or --dry-run to see what it would do"
        )
    if not ask(question):
        raise InvalidError("nothing was changed")


def list_commands(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    """Yield the commands that do something, in the order of the help."""
    groups = [action.choices for action in parser._actions if isinstance(action.choices, dict)]  # noqa: SLF001 - no other way
    if not groups:
        yield parser
    for group in groups:
        for child in group.values():
            yield from list_commands(child)


def parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no day; write 2026-11-20") from error


def parse_moment(text: str) -> datetime:
    """Return a day or a moment; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"'{text}' is no date; write 2026-11-20 or 2026-11-20T08:00:00+01:00"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
