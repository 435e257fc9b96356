"""`hold set|lift|list`: a legal hold on a user or a tenant, under which nothing of theirs is erased."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from membus.core.erasure import LegalHold
from scripts.command import require_confirmation
from scripts.output import Output, Row
from scripts.target import AddGroup, Target, open_container


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    commands = add_group("hold", help="a legal hold: nothing is erased until it is lifted").add_subparsers(
        required=True
    )

    put = commands.add_parser(
        "set",
        parents=[options],
        help="refuse to erase a user, or anybody of a tenant",
        examples=['hold set --tenant acme --user ada --reason "case 2026-117"'],
        changes=True,
    )
    put.add_argument(
        "--reason", required=True, help="what the hold is for, as the next operator should read it"
    )
    lift = commands.add_parser(
        "lift",
        parents=[options],
        help="let erasures be asked for again",
        examples=["hold lift --tenant acme --user ada"],
        asks=True,
    )
    for command, act in ((put, _set), (lift, _lift)):
        command.add_argument("--tenant", required=True)
        command.add_argument("--user", help="this one alone (default: the whole tenant)")
        command.set_defaults(run=act)
    listed = commands.add_parser(
        "list", parents=[options], help="the holds of a tenant", examples=["hold list --tenant acme"]
    )
    listed.add_argument("--tenant", required=True)
    listed.set_defaults(run=_list)


def _set(arguments: Namespace, target: Target, output: Output) -> None:
    target.get_tenant(arguments.tenant)
    jobs = open_container(target.environment, "erase").erasure.jobs
    hold = LegalHold(
        tenant=arguments.tenant, user=arguments.user, reason=arguments.reason, since=datetime.now(UTC)
    )
    if arguments.dry_run:
        return output.print_dry_run(f"hold {_whom(arguments)}", _row(hold))
    jobs.add_hold(hold)
    return output.print_rows([_row(hold)], nothing="")


def _lift(arguments: Namespace, target: Target, output: Output) -> None:
    jobs = open_container(target.environment, "erase").erasure.jobs
    whom = _whom(arguments)
    if arguments.dry_run:
        output.print_dry_run(
            f"let {whom} be erased again", {"tenant": arguments.tenant, "user": arguments.user}
        )
        return
    require_confirmation(arguments, f"Let {whom} be erased again?")
    jobs.remove_hold(arguments.tenant, arguments.user)
    output.print_remark(f"{whom} may be erased again.")


def _list(arguments: Namespace, target: Target, output: Output) -> None:
    jobs = open_container(target.environment, "erase").erasure.jobs
    holds = jobs.list_holds(arguments.tenant)
    output.print_rows([_row(hold) for hold in holds], nothing=f"No holds on {arguments.tenant}.")


def _whom(arguments: Namespace) -> str:
    return f"{arguments.user or 'everybody'} of {arguments.tenant}"


def _row(hold: LegalHold) -> Row:
    return {"tenant": hold.tenant, "user": hold.user, "reason": hold.reason, "since": hold.since.isoformat()}
