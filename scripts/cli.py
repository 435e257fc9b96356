"""The operators' commands: one file for each group, errors in one line, exit codes as `Exit` says."""

from argparse import Namespace
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from membus.core.errors import MembusError, UnavailableError
from scripts import cost, dlq, doctor, keys, reindex, session_gaps, tenants, usage
from scripts.command import PROGRAM, CommandParser, ExitCode
from scripts.erasure import commands as erasure_commands
from scripts.erasure import holds
from scripts.output import Output
from scripts.reextraction import replay, trial
from scripts.target import Target, open_target, target_options
from scripts.tier import commands as tier_commands
from scripts.transfer import export_command, import_command

GROUPS = (
    tenants,
    keys,
    usage,
    cost,
    session_gaps,
    doctor,
    dlq,
    reindex,
    replay,
    trial,
    tier_commands,
    export_command,
    import_command,
    erasure_commands,
    holds,
)
EXAMPLES = (
    'tenant create acme --name "Acme Ltd" --environment dev',
    "key create acme --scopes events:write,memory:read --expires-in 90d",
    "dlq redrive extract-dlq --environment prod --dry-run",
    "replay --tenant acme --user ada --dry-run",
    "tier reconcile --tenant acme --environment prod",
    "key revoke --help",
)


def main(
    argv: Sequence[str] | None = None, *, open_target: Callable[[Namespace], Target] = open_target
) -> int:
    arguments = command_line().parse_args(argv)
    try:
        target = open_target(arguments) if "stack" in arguments else None  # what asks nobody needs no place
        return arguments.run(arguments, target, Output(as_json=arguments.json)) or ExitCode.DONE
    except UnavailableError as error:
        return _print_error(f"{error.detail}{_hint(arguments)}")
    except MembusError as error:
        return _print_error(error.detail)
    except BotoCoreError as error:
        return _print_error(f"{error}{_hint(arguments)}")
    except ClientError as error:
        return _print_error(str(error))
    except KeyboardInterrupt:
        Output.print_remark("interrupted: what is done is done, run it again to go on")
        return ExitCode.INTERRUPTED


def command_line() -> CommandParser:
    """Return the parser of all commands, each with its examples and the options they share."""
    parser = CommandParser(
        prog=PROGRAM,
        examples=EXAMPLES,
        description="Operate membus: the local stack, or an environment on AWS with --environment. "
        "Exit codes: 0 done, 1 refused or failed, 2 misused, 3 partly done, 130 interrupted.",
    )
    groups, options = parser.add_subparsers(required=True, metavar="command"), target_options()
    for group in GROUPS:
        group.register(groups.add_parser, options)
    return parser


def _hint(arguments: Namespace) -> str:
    """Return what to try when something does not answer."""
    return (
        "; is the local stack up? `make up` starts it"
        if getattr(arguments, "environment", "") is None
        else ""
    )


def _print_error(why: str) -> int:
    Output.print_remark(f"error: {why}")
    return ExitCode.REFUSED
