"""`key create|list|revoke`: the API keys of a tenant."""

import re
from argparse import ArgumentTypeError, Namespace
from datetime import UTC, datetime, timedelta

from membus.core.errors import NotFoundError
from membus.tenants.api_keys import ApiKey, ApiScope, Credential
from membus.tenants.provisioning import EVERYDAY_SCOPES, create_key
from scripts.command import command, option, require_confirmation
from scripts.output import Output, Row
from scripts.target import Target

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
TENANT = option("tenant", help="id of the tenant")


def parse_scopes(text: str) -> tuple[ApiScope, ...]:
    try:
        return tuple(ApiScope(name) for name in re.split(r"[,\s]+", text.strip()))
    except ValueError as error:
        raise ArgumentTypeError(f"{error}; scopes are {', '.join(ApiScope)}") from None


def parse_duration(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", text)
    if match is None:
        raise ArgumentTypeError(f"'{text}' is not a duration; write 30m, 12h, 90d or 52w")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


@command(
    "key create",
    "make an API key and show it once",
    TENANT,
    option("--name", default="default", help="what the key is for"),
    option(
        "--scopes",
        type=parse_scopes,
        default=EVERYDAY_SCOPES,
        help=f"of {', '.join(ApiScope)} (default: all but admin)",
    ),
    option("--expires-in", type=parse_duration, metavar="90d", help="m, h, d or w (default: never)"),
    examples=[
        "key create acme",
        "key create acme --scopes events:write,memory:read --expires-in 90d --json",
    ],
    changes=True,
)
def create(arguments: Namespace, target: Target, output: Output) -> None:
    tenant, scopes = arguments.tenant, list(arguments.scopes)
    if arguments.dry_run:
        row: Row = {
            "tenant_id": target.get_tenant(tenant).tenant_id,
            "name": arguments.name,
            "scopes": scopes,
        }
        return output.print_dry_run(f"make a key of {tenant} with {' '.join(scopes)}", row)
    key = create_key(
        tenant,
        environment=target.environment,
        tenants=target.tenants,
        keys=target.keys,
        scopes=arguments.scopes,
        name=arguments.name,
        expires_in=arguments.expires_in,
    )
    key_id = Credential.parse(key).key_id
    return output.print_answer(
        key,
        {"api_key": key, "key_id": key_id, "tenant_id": tenant, "scopes": scopes},
        remark=f"Keep it now: it is shown this once, membus stores only a hash (key id {key_id}).",
    )


@command("key list", "list a tenant's API keys", TENANT, examples=["key list acme --environment dev --json"])
def list_all(arguments: Namespace, target: Target, output: Output) -> None:
    tenant = target.get_tenant(arguments.tenant).tenant_id
    rows = [_row(key) for key in target.keys.list_keys(tenant)]
    output.print_rows(rows, nothing=f"Tenant {tenant} has no keys in {target.environment}.")


@command(
    "key revoke",
    "refuse an API key from now on",
    option("key_id", help="the part of the key between the second and the third _"),
    examples=["key revoke 4fTq0ZbNw1Xs", "key revoke 4fTq0ZbNw1Xs --environment prod --yes"],
    asks=True,
)
def revoke(arguments: Namespace, target: Target, output: Output) -> None:
    key = target.keys.find_key(arguments.key_id)
    if key is None:
        raise NotFoundError(f"no key {arguments.key_id}")
    what = f"key {key.key_id} ({key.name}) of tenant {key.tenant_id}"
    if arguments.dry_run:
        return output.print_dry_run(f"revoke {what}", _row(key))
    require_confirmation(arguments, f"Revoke {what}? Requests with it are refused from now on.")
    output.print_rows([_row(target.keys.revoke_key(arguments.key_id, at=datetime.now(UTC)))])
    return output.print_remark("The gateway may accept a key that it has checked for up to a minute.")


def _row(key: ApiKey) -> Row:
    return {
        "key_id": key.key_id,
        "tenant_id": key.tenant_id,
        "name": key.name,
        "status": key.status_at(datetime.now(UTC)),
        "scopes": list(key.scopes),
        "created_at": key.created_at.isoformat(timespec="seconds"),
        "expires_at": key.expires_at.isoformat(timespec="seconds") if key.expires_at else None,
    }
