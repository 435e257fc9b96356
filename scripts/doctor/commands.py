"""The command `doctor`: every check in turn, problems first, and an exit code by the worst of them."""

from argparse import ArgumentTypeError, Namespace
from collections import Counter
from functools import partial

from membus.aws.clients import aws_client
from scripts.command import ExitCode, command, option
from scripts.doctor.account import account
from scripts.doctor.findings import Check, DeployedEnvironment, Finding, FindingStatus, run_check
from scripts.doctor.functions import caller, errors, functions, mappings, model, versions
from scripts.doctor.queues import alarms, bus, dead_letters, queues
from scripts.doctor.stores import bucket, hot_tier, proxy, rates, schema, secrets, streams, tables
from scripts.output import Output, Row
from scripts.target import Target

CHECKS: tuple[Check, ...] = (
    caller,
    account,
    functions,
    versions,
    mappings,
    errors,
    tables,
    streams,
    queues,
    dead_letters,
    bus,
    alarms,
    bucket,
    secrets,
    schema,
    proxy,
    hot_tier,
    model,
    rates,
)
NAMES = {check.__name__.replace("_", "-"): check for check in CHECKS}
ORDER = list(FindingStatus)


def parse_check(name: str) -> str:
    if name not in NAMES:
        raise ArgumentTypeError(f"'{name}' is not a check; there are {', '.join(NAMES)}")
    return name


@command(
    "doctor",
    "check a deployed environment; changes nothing",
    option(
        "--only", action="append", type=parse_check, metavar="CHECK", help="may be repeated (default: all)"
    ),
    option("--all", action="store_true", help="show the checks that passed, too"),
    description="Exit code 0: no problem, 3: warnings, 1: a check fails. What the emulator does not know is "
    f"skipped, with a remark. Checks: {', '.join(NAMES)}.",
    examples=["doctor --environment prod", "doctor --only schema --only queues --json", "doctor --all"],
)
def examine(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    client = partial(aws_client, read_timeout_seconds=60)
    is_local = arguments.environment is None
    deployment = DeployedEnvironment(target.environment, is_local=is_local, client=client)
    wanted = arguments.only or list(NAMES)
    found: list[Finding] = []
    with output.progress_bar() as bar:
        task = bar.add_task("checks", total=len(wanted))
        for name in wanted:
            bar.update(task, description=name)
            found += run_check(name, NAMES[name], deployment)
            bar.advance(task)
    return print_findings(found, output, everything=arguments.all or arguments.json)


def print_findings(found: list[Finding], output: Output, *, everything: bool) -> ExitCode:
    """Print the findings, the worst first, and return the exit code by the worst."""
    found = sorted(found, key=lambda each: ORDER.index(each.status))
    problems = [each for each in found if each.status in {FindingStatus.FAIL, FindingStatus.WARN}]
    output.print_rows(
        [_row(each) for each in (found if everything else problems)], nothing="No problem found."
    )
    skipped = [each.found.removeprefix("skipped: ") for each in found if each.status is FindingStatus.SKIPPED]
    if skipped and not everything:
        reasons = "; ".join(f"{number}: {reason}" for reason, number in Counter(skipped).most_common())
        output.print_remark(f"skipped ({reasons}): --all names them")
    counts = Counter(each.status for each in found)
    output.print_remark(", ".join(f"{counts[status]} {status}" for status in reversed(ORDER)))
    if counts[FindingStatus.FAIL]:
        return ExitCode.REFUSED
    return ExitCode.PARTLY if counts[FindingStatus.WARN] else ExitCode.DONE


def _row(finding: Finding) -> Row:
    return {
        "status": finding.status,
        "about": finding.about,
        "found": finding.found,
        "remedy": finding.remedy,
        "runbook": f"docs/runbooks/{finding.page}.md" if finding.page else None,
    }
