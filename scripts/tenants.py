"""`tenant create|list|show|budget|rate|settings`: tenants, what they may spend and send, and their settings."""

import math
from argparse import ArgumentTypeError, Namespace
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pydantic import ValidationError

from membus.core.errors import ConflictError, InvalidError
from membus.facts.settings_check import change_settings, check_settings
from membus.tenants.model import RateLimits, Tenant
from membus.tenants.provisioning import create_tenant
from membus.tenants.settings import MemorySettings, VersionedSettings
from scripts.command import command, one_of, option
from scripts.output import Output, Row
from scripts.target import Target
from scripts.validation import explain_invalid

TENANT = option("tenant", help="id of the tenant")


def parse_dollars(text: str) -> Decimal:
    try:
        dollars = Decimal(text)
    except InvalidOperation as error:
        raise ArgumentTypeError(f"'{text}' is not a number of dollars; write 5 or 0.25") from error
    if not dollars.is_finite() or dollars < 0:
        raise ArgumentTypeError("a budget is 0 dollars or more")
    return dollars


def parse_rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not a rate; write 20 or 0.5") from error
    if not math.isfinite(rate) or rate <= 0:
        raise ArgumentTypeError("a rate is above 0")
    return rate


@command(
    "tenant create",
    "add a tenant",
    option("tenant", help="its id: a-z, 0-9 and -"),
    option("--name", help="its name for people (default: its id)"),
    option("--if-absent", action="store_true", help="succeed if it exists"),
    examples=[
        'tenant create acme --name "Acme Ltd"',
        "tenant create acme --if-absent --environment dev --json",
    ],
    changes=True,
)
def create(arguments: Namespace, target: Target, output: Output) -> None:
    name = arguments.name or arguments.tenant
    if arguments.dry_run:
        found = target.tenants.find_tenant(arguments.tenant)
        if found and not arguments.if_absent:
            raise ConflictError(f"tenant {arguments.tenant} exists")
        tenant = found or Tenant(arguments.tenant, name, datetime.now(UTC))
        action = "change nothing: it exists" if found else f"create {tenant.tenant_id}"
        return output.print_dry_run(action, _row(tenant))
    try:
        create_tenant(arguments.tenant, store=target.tenants, name=arguments.name)
    except ConflictError:
        if not arguments.if_absent:
            raise
    return _print_tenant(target.get_tenant(arguments.tenant), output)


@command("tenant list", "list all tenants", examples=["tenant list --environment dev --json"])
def list_all(arguments: Namespace, target: Target, output: Output) -> None:  # noqa: ARG001 - no options
    rows = [_row(tenant) for tenant in target.tenants.list_tenants()]
    output.print_rows(rows, nothing=f"No tenants in {target.environment} yet: `tenant create <id>` adds one.")


@command("tenant show", "show one tenant", TENANT, examples=["tenant show acme"])
def show(arguments: Namespace, target: Target, output: Output) -> None:
    _print_tenant(target.get_tenant(arguments.tenant), output)


@command(
    "tenant budget",
    "limit what a tenant's model calls may cost a day",
    TENANT,
    one_of(
        option(
            "--dollars-per-day",
            type=parse_dollars,
            metavar="5",
            help="beyond it only rules extract facts, until midnight UTC",
        ),
        option("--unlimited", action="store_true", help="remove the limit"),
        required=True,
    ),
    examples=["tenant budget acme --dollars-per-day 5", "tenant budget acme --unlimited --environment dev"],
    changes=True,
)
def set_budget(arguments: Namespace, target: Target, output: Output) -> None:
    dollars: Decimal | None = arguments.dollars_per_day
    if not arguments.dry_run:
        return _print_tenant(target.tenants.set_budget(arguments.tenant, dollars), output)
    tenant = target.get_tenant(arguments.tenant)
    after, before = (
        "no limit" if each is None else f"{each} dollars a day" for each in (dollars, tenant.daily_dollars)
    )
    action = f"limit {tenant.tenant_id} to {after} (now {before})"
    return output.print_dry_run(action, _row(replace(tenant, daily_dollars=dollars)))


@command(
    "tenant rate",
    "limit how fast a tenant may send",
    TENANT,
    option("--requests", type=parse_rate, metavar="20", help="requests a second; ten seconds' worth at once"),
    option("--events", type=parse_rate, metavar="200", help="events a second; ten seconds' worth at once"),
    option("--usual", action="store_true", help="return to the rate limits of the environment"),
    examples=["tenant rate acme --requests 20 --events 200", "tenant rate acme --usual --environment dev"],
    changes=True,
)
def set_rates(arguments: Namespace, target: Target, output: Output) -> None:
    rates = None
    if not arguments.usual:
        if arguments.requests is None or arguments.events is None:
            raise InvalidError("say both --requests and --events, or --usual")
        rates = RateLimits(requests_per_second=arguments.requests, events_per_second=arguments.events)
    if not arguments.dry_run:
        return _print_tenant(target.tenants.set_rates(arguments.tenant, rates), output)
    action = "return to the usual rate limits" if rates is None else "change the rate limits"
    return output.print_dry_run(action, _row(replace(target.get_tenant(arguments.tenant), rates=rates)))


@command(
    "tenant settings",
    "show or replace what a tenant has set for its memory",
    TENANT,
    option("--set", type=Path, metavar="FILE", help="JSON as of PUT /v1/settings, which replaces all of it"),
    option("--version", type=int, help="show an earlier version"),
    examples=["tenant settings acme --json", "tenant settings acme --set settings.json --dry-run"],
    changes=True,
)
def set_settings(arguments: Namespace, target: Target, output: Output) -> None:
    tenant, store = target.get_tenant(arguments.tenant).tenant_id, target.settings
    if arguments.set is None:
        found = store.get_settings(tenant)
        if arguments.version is not None and arguments.version != found.version:
            found = store.get_settings_version(tenant, arguments.version)
        return _print_settings(found, output)
    try:
        asked = MemorySettings.model_validate_json(arguments.set.read_bytes())
    except ValidationError as error:
        problem = explain_invalid(error, "settings")
        raise InvalidError(f"{arguments.set}: {problem}", code="bad_settings") from error
    if arguments.dry_run:
        before, planned = store.get_settings(tenant), check_settings(asked)
        row: Row = {"version": before.version + 1, "settings": planned.model_dump(mode="json")}
        return output.print_dry_run(f"replace version {before.version} of {tenant}'s settings", row)
    changed = change_settings(tenant, asked, expected_version=None, now=datetime.now(UTC), store=store)
    return _print_settings(changed, output)


def _print_settings(found: VersionedSettings, output: Output) -> None:
    at = found.changed_at.isoformat(timespec="seconds") if found.changed_at else None
    row: Row = {
        "version": found.version,
        "changed_at": at,
        "settings": found.settings.model_dump(mode="json"),
    }
    since = f"version {found.version} of {at}" if at else "nothing is set: this is what holds everywhere"
    output.print_answer(found.settings.model_dump_json(indent=2), row, remark=since)


def _print_tenant(tenant: Tenant, output: Output) -> None:
    output.print_rows([_row(tenant)])


def _row(tenant: Tenant) -> Row:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "created_at": tenant.created_at.isoformat(timespec="seconds"),
        "dollars_per_day": None if tenant.daily_dollars is None else float(tenant.daily_dollars),
        "requests_per_second": tenant.rates.requests_per_second if tenant.rates else None,
        "events_per_second": tenant.rates.events_per_second if tenant.rates else None,
    }
