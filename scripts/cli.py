"""The operators' commands: their order in the help, errors in one line, exit codes as `ExitCode` says."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from membus.core.errors import MembusError
from scripts import keys, reindex, session_gaps, tenants, usage
from scripts.command import PROGRAM, Command, DeclinedError, ExitCode, describe
from scripts.cost import commands as cost
from scripts.dlq import commands as dlq
from scripts.doctor import commands as doctor
from scripts.erasure import commands as erasure
from scripts.erasure import holds
from scripts.output import Output
from scripts.reextraction import replay, trial
from scripts.target import Target, explain_error, open_target
from scripts.tier import commands as tier
from scripts.transfer import export_command, import_command

COMMANDS: tuple[Command, ...] = (
    tenants.create,
    tenants.list_all,
    tenants.show,
    tenants.set_budget,
    tenants.set_rates,
    tenants.set_settings,
    keys.create,
    keys.list_all,
    keys.revoke,
    usage.report,
    cost.estimate_month,
    session_gaps.report,
    doctor.examine,
    dlq.list_queues,
    dlq.show,
    dlq.redrive,
    reindex.run,
    replay.replay,
    trial.run,
    trial.show,
    trial.promote,
    trial.discard,
    tier.status,
    tier.run,
    tier.compact,
    tier.verify,
    tier.reconcile_tiers,
    tier.restore,
    tier.report,
    export_command.export,
    import_command.import_file,
    erasure.erase,
    holds.set_hold,
    holds.lift_hold,
    holds.list_holds,
)
GROUPS = {
    "tenant": "tenants of this deployment, their budgets, rate limits and settings",
    "key": "a tenant's API keys",
    "cost": "what a month would cost",
    "dlq": "dead-letter queues: what could not be processed, and sending it back",
    "shadow": "try another model or prompt beside the one in use",
    "tier": "the archive: run, compact, verify, reconcile, restore, report",
    "hold": "legal holds: nothing is erased until they are lifted",
}
EXAMPLES = (
    'tenant create acme --name "Acme Ltd" --environment dev',
    "key create acme --scopes events:write,memory:read --expires-in 90d",
    "dlq redrive extract-dlq --environment prod --dry-run",
    "replay --tenant acme --user ada --dry-run",
    "tier reconcile --tenant acme --environment prod",
    "key revoke --help",
)
DESCRIPTION = (
    "Operate membus: the local stack, or an environment on AWS with --environment. "
    "Exit codes: 0 done, 1 refused or failed, 2 misused, 3 partly done, 130 interrupted."
)


def main(
    argv: Sequence[str] | None = None, *, open_target: Callable[[Namespace], Target] = open_target
) -> int:
    arguments = command_line().parse_args(argv)
    try:
        target = open_target(arguments) if "stack" in arguments else None
        return arguments.run(arguments, target, Output(as_json=arguments.json)) or ExitCode.DONE
    except DeclinedError as answer:
        Output.print_remark(answer.detail)
        return ExitCode.REFUSED
    except (MembusError, BotoCoreError, ClientError) as error:
        Output.print_remark(f"error: {explain_error(error, arguments)}")
        return ExitCode.REFUSED
    except KeyboardInterrupt:
        Output.print_remark("interrupted: what is done is done, run it again to go on")
        return ExitCode.INTERRUPTED


def command_line() -> ArgumentParser:
    """Return the parser of all commands, each with its examples and the options they share."""
    parser = ArgumentParser(prog=PROGRAM, **describe(DESCRIPTION, EXAMPLES))
    parsers = {"": parser.add_subparsers(required=True, metavar="command")}
    for command in COMMANDS:
        group = command.name.rpartition(" ")[0]
        if group not in parsers:
            parsers[group] = parsers[""].add_parser(group, help=GROUPS[group]).add_subparsers(required=True)
        command.add_to(parsers[group])
    return parser
