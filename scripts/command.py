"""How a command is declared: its name, options and examples, and what it asks before it acts."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import IntEnum
from pathlib import Path
from textwrap import fill
from typing import Any

from membus.core.errors import InvalidError
from scripts.output import Output

PROGRAM = "python -m scripts"
HELP_COLUMNS = 80
LOCAL_STACK = Path(".local/stack.json")


class ExitCode(IntEnum):
    """The exit codes of all commands, as docs/operations.md explains them."""

    DONE = 0
    REFUSED = 1  # or failed: standard error says why in one line
    MISUSED = 2  # standard error shows the usage
    PARTLY = 3  # some of it is done, or there are warnings; running it again is safe
    INTERRUPTED = 130


AddOption = Callable[[Any], object]
"""Adds an option, or a group of them, to a parser."""
Handler = Callable[[Namespace, Any, Output], ExitCode | None]
"""Runs a command with its options, the Target it is for, and the Output for its answer."""


def option(*names: str, **settings: Any) -> AddOption:
    return lambda parser: parser.add_argument(*names, **settings)


def one_of(*options: AddOption, required: bool = False) -> AddOption:
    """Return options that exclude each other."""
    return lambda parser: _add(options, parser.add_mutually_exclusive_group(required=required))


def titled(title: str, *options: AddOption) -> AddOption:
    """Return options that the help shows under a title of their own."""
    return lambda parser: _add(options, parser.add_argument_group(title))


JSON = option("--json", action="store_true", help="print JSON")
TARGET = (
    JSON,
    titled(
        "where",
        one_of(
            option("--stack", type=Path, metavar="FILE", help=f"a local stack (default: {LOCAL_STACK})"),
            option("--environment", metavar="ENV", help="an environment on AWS, e.g. dev"),
        ),
    ),
    option("--region", default="us-east-1", help="of --environment (default: %(default)s)"),
)
CHANGES = "before it changes anything"
DRY_RUN = option("--dry-run", action="store_true", help="say what it would do, and do nothing")
YES = option("--yes", action="store_true", help="do not ask; needed where there is no terminal")
TENANT = option("--tenant", required=True, help="id of the tenant")


@dataclass(frozen=True)
class Command:
    """A command that `changes` something has a dry run.

    One that `asks` cannot be undone by another command, or costs money: the operator confirms it first.
    """

    run: Handler
    name: str
    help: str
    options: Sequence[AddOption]
    examples: Sequence[str]
    description: str | None
    changes: bool
    asks: bool
    has_target: bool

    def add_to(self, parsers: Any) -> None:
        parser = parsers.add_parser(
            self.name.rpartition(" ")[2], help=self.help, **describe(self.description, self.examples)
        )
        _add((*(TARGET if self.has_target else (JSON,)), *self.options), parser)
        confirmations = ([DRY_RUN] if self.changes or self.asks else []) + ([YES] if self.asks else [])
        _add([titled(CHANGES, *confirmations)] if confirmations else [], parser)
        parser.set_defaults(run=self.run)


def command(
    name: str,
    summary: str,
    *options: AddOption,
    examples: Sequence[str],
    description: str | None = None,
    changes: bool = False,
    asks: bool = False,
    has_target: bool = True,
) -> Callable[[Handler], Command]:
    """Make a command of its function; `has_target` is False for one that reads no environment."""
    return lambda run: Command(run, name, summary, options, examples, description, changes, asks, has_target)


def describe(description: str | None, examples: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a parser whose help has a description and examples."""
    return {
        "description": fill(description or "", HELP_COLUMNS),
        "epilog": "\n".join(["examples:", *(f"  {PROGRAM} {example}" for example in examples)]),
        "formatter_class": RawDescriptionHelpFormatter,
    }


def list_commands(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    """Yield the parsers of all commands, in the order of the help."""
    actions = parser._actions  # noqa: SLF001 - no other way
    groups = [action.choices for action in actions if isinstance(action.choices, dict)]
    if not groups:
        yield parser
    for group in groups:
        for child in group.values():
            yield from list_commands(child)


class DeclinedError(InvalidError):
    """The operator answered no."""


def require_confirmation(
    arguments: Namespace, question: str, *, ask: Callable[[str], bool] = Output.ask_confirmation
) -> None:
    """Return if the operator agrees, by `--yes` or on the terminal.

    Raises:
        DeclinedError: the operator answered no.
        InvalidError: there is no terminal to ask on.
    """
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise InvalidError(
            f"no terminal to ask on ({question}): say --yes to agree, or --dry-run to look first"
        )
    if not ask(question):
        raise DeclinedError("nothing was changed")


def parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not a day; write 2026-11-20") from error


def parse_moment(text: str) -> datetime:
    """Return a day or a time; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"'{text}' is not a date; write 2026-11-20 or 2026-11-20T08:00:00+01:00"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _add(options: Sequence[AddOption], parser: Any) -> None:
    for add in options:
        add(parser)
