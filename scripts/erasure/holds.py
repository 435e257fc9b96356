"""`hold set|lift|list`: a legal hold on a user or a tenant, under which nothing of theirs is erased."""

from argparse import Namespace
from datetime import UTC, datetime

from membus.core.erasure import LegalHold
from membus.erasure.ports import ErasureJobs
from scripts.command import TENANT, command, option, require_confirmation
from scripts.output import Output, Row
from scripts.target import Target, open_container

USER = option("--user", help="only this user (default: the whole tenant)")


@command(
    "hold set",
    "refuse to erase a user, or all users of a tenant",
    TENANT,
    USER,
    option("--reason", required=True, help="the reason for the hold, as the next operator should read it"),
    examples=['hold set --tenant acme --user ada --reason "case 2026-117"'],
    changes=True,
)
def set_hold(arguments: Namespace, target: Target, output: Output) -> None:
    tenant, user, now = target.get_tenant(arguments.tenant).tenant_id, arguments.user, datetime.now(UTC)
    jobs = _jobs(target)
    hold = LegalHold(tenant=tenant, user=user, reason=arguments.reason, since=now)
    if arguments.dry_run:
        return output.print_dry_run(f"refuse to erase {_whom(arguments)}", _row(hold))
    jobs.add_hold(hold)
    return output.print_rows([_row(hold)])


@command(
    "hold lift",
    "allow erasures again",
    TENANT,
    USER,
    examples=["hold lift --tenant acme --user ada"],
    asks=True,
)
def lift_hold(arguments: Namespace, target: Target, output: Output) -> None:
    jobs, whom = _jobs(target), _whom(arguments)
    if arguments.dry_run:
        row: Row = {"tenant": arguments.tenant, "user": arguments.user}
        return output.print_dry_run(f"allow to erase {whom} again", row)
    require_confirmation(arguments, f"Allow to erase {whom} again?")
    jobs.remove_hold(arguments.tenant, arguments.user)
    return output.print_remark(f"{whom} may be erased again.")


@command("hold list", "the legal holds of a tenant", TENANT, examples=["hold list --tenant acme"])
def list_holds(arguments: Namespace, target: Target, output: Output) -> None:
    holds = _jobs(target).list_holds(arguments.tenant)
    output.print_rows([_row(hold) for hold in holds], nothing=f"No holds on {arguments.tenant}.")


def _jobs(target: Target) -> ErasureJobs:
    return open_container(target.environment, "erase").erasure.jobs


def _whom(arguments: Namespace) -> str:
    return f"{arguments.user or 'all users'} of {arguments.tenant}"


def _row(hold: LegalHold) -> Row:
    return {"tenant": hold.tenant, "user": hold.user, "reason": hold.reason, "since": hold.since.isoformat()}
