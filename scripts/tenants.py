"""`tenant create|list|show|budget|rate`.

Who membus keeps memory for, what that may cost and how fast it may go.
"""

import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from membus.core.errors import ConflictError, InvalidError
from membus.tenants.model import RateLimits, Tenant
from membus.tenants.provisioning import create_tenant
from scripts.output import Output, Row
from scripts.target import AddGroup, Target


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    commands = add_group("tenant", help="who membus keeps memory for").add_subparsers(required=True)

    create = commands.add_parser(
        "create",
        parents=[options],
        help="add a tenant",
        changes=True,
        examples=[
            'tenant create acme --name "Acme Ltd"',
            "tenant create acme --if-absent --environment dev --json",
        ],
    )
    create.add_argument("tenant", help="its id: a-z, 0-9 and -")
    create.add_argument("--name", help="what people call it (default: its id)")
    create.add_argument("--if-absent", action="store_true", help="be content if it exists")
    create.set_defaults(run=_create)

    listing = commands.add_parser(
        "list", parents=[options], help="list all tenants", examples=["tenant list --environment dev --json"]
    )
    listing.set_defaults(run=_list)

    show = commands.add_parser(
        "show", parents=[options], help="show one tenant", examples=["tenant show acme"]
    )
    show.add_argument("tenant")
    show.set_defaults(run=_show)

    budget = commands.add_parser(
        "budget",
        parents=[options],
        help="limit what a tenant's model calls may cost a day",
        changes=True,
        examples=[
            "tenant budget acme --dollars-per-day 5",
            "tenant budget acme --unlimited --environment dev",
        ],
    )
    budget.add_argument("tenant")
    limit = budget.add_mutually_exclusive_group(required=True)
    limit.add_argument(
        "--dollars-per-day", type=_dollars, metavar="5", help="then only rules learn, until midnight UTC"
    )
    limit.add_argument("--unlimited", action="store_true", help="lift the limit")
    budget.set_defaults(run=_budget)

    rate = commands.add_parser(
        "rate",
        parents=[options],
        help="limit how fast a tenant may send",
        changes=True,
        examples=[
            "tenant rate acme --requests 20 --events 200",
            "tenant rate acme --usual --environment dev",
        ],
    )
    rate.add_argument("tenant")
    rate.add_argument(
        "--requests", type=_rate, metavar="20", help="requests a second; ten seconds' worth at once"
    )
    rate.add_argument(
        "--events", type=_rate, metavar="200", help="events a second; ten seconds' worth at once"
    )
    rate.add_argument("--usual", action="store_true", help="those of the environment again")
    rate.set_defaults(run=_set_rates)


def _create(arguments: Namespace, target: Target, output: Output) -> None:
    if arguments.dry_run:
        return _would_create(arguments, target, output)
    try:
        create_tenant(arguments.tenant, store=target.tenants, name=arguments.name)
    except ConflictError:
        if not arguments.if_absent:
            raise
    return _show(arguments, target, output)


def _would_create(arguments: Namespace, target: Target, output: Output) -> None:
    found = target.tenants.find_tenant(arguments.tenant)
    if found and not arguments.if_absent:
        raise ConflictError(f"tenant {arguments.tenant} exists")
    tenant = found or Tenant(arguments.tenant, arguments.name or arguments.tenant, datetime.now(UTC))
    output.print_dry_run("change nothing: it exists" if found else f"create {tenant.tenant_id}", _row(tenant))


def _list(arguments: Namespace, target: Target, output: Output) -> None:  # noqa: ARG001 - every command is called alike
    rows = [_row(tenant) for tenant in target.tenants.list_tenants()]
    output.print_rows(rows, nothing=f"No tenants in {target.environment} yet: `tenant create <id>` adds one.")


def _show(arguments: Namespace, target: Target, output: Output) -> None:
    output.print_rows([_row(target.get_tenant(arguments.tenant))], nothing="")


def _budget(arguments: Namespace, target: Target, output: Output) -> None:
    dollars = arguments.dollars_per_day
    if arguments.dry_run:
        tenant = target.get_tenant(arguments.tenant)
        told = f"limit {tenant.tenant_id} to {_limit(dollars)} (now {_limit(tenant.daily_dollars)})"
        return output.print_dry_run(told, _row(replace(tenant, daily_dollars=dollars)))
    return output.print_rows([_row(target.tenants.set_budget(arguments.tenant, dollars))], nothing="")


def _limit(dollars: Decimal | None) -> str:
    return "no limit" if dollars is None else f"{dollars} dollars a day"


def _set_rates(arguments: Namespace, target: Target, output: Output) -> None:
    rates = None
    if not arguments.usual:
        if arguments.requests is None or arguments.events is None:
            raise InvalidError("say both --requests and --events, or --usual")
        rates = RateLimits(requests_per_second=arguments.requests, events_per_second=arguments.events)
    if arguments.dry_run:
        told = "give back the usual rates" if rates is None else "change the rates"
        return output.print_dry_run(told, _row(replace(target.get_tenant(arguments.tenant), rates=rates)))
    return output.print_rows([_row(target.tenants.set_rates(arguments.tenant, rates))], nothing="")


def _dollars(text: str) -> Decimal:
    try:
        dollars = Decimal(text)
    except InvalidOperation as error:
        raise ArgumentTypeError(f"'{text}' is no number of dollars; write 5 or 0.25") from error
    if not dollars.is_finite() or dollars < 0:
        raise ArgumentTypeError("a budget is 0 dollars or more")
    return dollars


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no rate; write 20 or 0.5") from error
    if not math.isfinite(rate) or rate <= 0:
        raise ArgumentTypeError("a rate is above 0")
    return rate


def _row(tenant: Tenant) -> Row:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "created_at": tenant.created_at.isoformat(timespec="seconds"),
        "dollars_per_day": None if tenant.daily_dollars is None else str(tenant.daily_dollars),
        "requests_per_second": f"{tenant.rates.requests_per_second:g}" if tenant.rates else None,
        "events_per_second": f"{tenant.rates.events_per_second:g}" if tenant.rates else None,
    }
