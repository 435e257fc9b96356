"""The command: every check in turn, what they found worst first, and an exit code by the worst."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from functools import partial

from membus.aws.clients import aws_client
from scripts.command import ExitCode
from scripts.doctor.findings import Check, DeployedEnvironment, Finding, FindingStatus, run_check
from scripts.doctor.functions import caller, errors, functions, mappings, model
from scripts.doctor.queues import alarms, bus, dead_letters, queues
from scripts.doctor.stores import bucket, hot_tier, proxy, rates, schema, secrets, streams, tables
from scripts.output import Output, Row
from scripts.target import AddGroup, Target

CHECKS: tuple[Check, ...] = (
    caller,
    functions,
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


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    doctor = add_group(
        "doctor",
        parents=[options],
        help="look a deployed environment over; changes nothing",
        description="Exit code 0: nothing is wrong, 3: warnings, 1: something fails. What the emulator cannot know is "
        f"skipped, and said so. Checks: {', '.join(NAMES)}.",
        examples=["doctor --environment prod", "doctor --only schema --only queues --json", "doctor --all"],
    )
    doctor.add_argument(
        "--only", action="append", type=_check, metavar="CHECK", help="may be repeated (default: all)"
    )
    doctor.add_argument("--all", action="store_true", help="show what is well, too")
    doctor.set_defaults(run=_doctor)


def _check(name: str) -> str:
    if name not in NAMES:
        raise ArgumentTypeError(f"'{name}' is no check; there are {', '.join(NAMES)}")
    return name


def _doctor(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    deployment = DeployedEnvironment(
        target.environment,
        is_local=arguments.environment is None,
        client=partial(aws_client, read_timeout_seconds=60),
    )
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
    """Print what was found, the worst first, and return the exit code by the worst."""
    found = sorted(found, key=lambda each: ORDER.index(each.status))
    shown = [each for each in found if everything or each.status in {FindingStatus.FAIL, FindingStatus.WARN}]
    output.print_rows([_row(each) for each in shown], nothing="Nothing is wrong.")
    why = Counter(
        each.found.removeprefix("skipped: ") for each in found if each.status is FindingStatus.SKIPPED
    )
    if why and not everything:
        reasons = "; ".join(f"{number}: {reason}" for reason, number in why.most_common())
        output.print_remark(f"skipped ({reasons}): --all names them")
    counts = {status: sum(each.status is status for each in found) for status in FindingStatus}
    output.print_remark(", ".join(f"{counts[status]} {status}" for status in reversed(FindingStatus)))
    if counts[FindingStatus.FAIL]:
        return ExitCode.REFUSED
    return ExitCode.PARTLY if counts[FindingStatus.WARN] else ExitCode.DONE


def _row(finding: Finding) -> Row:
    page = f"docs/runbooks/{finding.page}.md" if finding.page else None
    return {
        "status": finding.status,
        "about": finding.about,
        "found": finding.found,
        "remedy": finding.remedy,
        "runbook": page,
    }
