"""`key create|list|revoke`: the API keys of a tenant."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime, timedelta

from membus.core.errors import NotFoundError
from membus.tenants.api_keys import ApiKey, ApiScope, Credential
from membus.tenants.provisioning import EVERYDAY_SCOPES, create_key
from scripts.command import require_confirmation
from scripts.output import Output, Row
from scripts.target import AddGroup, Target

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    commands = add_group("key", help="a tenant's API keys").add_subparsers(required=True)

    create = commands.add_parser(
        "create",
        parents=[options],
        help="make a key and show it once",
        changes=True,
        examples=[
            "key create acme",
            "key create acme --scopes events:write,memory:read --expires-in 90d --json",
        ],
    )
    create.add_argument("tenant")
    create.add_argument("--name", default="default", help="what the key is for")
    create.add_argument(
        "--scopes",
        type=_scopes,
        default=EVERYDAY_SCOPES,
        help=f"of {', '.join(ApiScope)} (default: all but admin)",
    )
    create.add_argument("--expires-in", type=_duration, metavar="90d", help="m, h, d or w (default: never)")
    create.set_defaults(run=_create)

    listing = commands.add_parser(
        "list",
        parents=[options],
        help="list a tenant's keys",
        examples=["key list acme --environment dev --json"],
    )
    listing.add_argument("tenant")
    listing.set_defaults(run=_list)

    revoke = commands.add_parser(
        "revoke",
        parents=[options],
        help="refuse a key from now on",
        asks=True,
        examples=["key revoke 4fTq0ZbNw1Xs", "key revoke 4fTq0ZbNw1Xs --environment prod --yes"],
    )
    revoke.add_argument("key_id", help="the part of the key between the second and the third _")
    revoke.set_defaults(run=_revoke)


def _create(arguments: Namespace, target: Target, output: Output) -> None:
    if arguments.dry_run:
        target.get_tenant(arguments.tenant)
        row: Row = {"tenant_id": arguments.tenant, "name": arguments.name, "scopes": list(arguments.scopes)}
        output.print_dry_run(f"make a key of {arguments.tenant} with {' '.join(arguments.scopes)}", row)
        return
    text = create_key(
        arguments.tenant,
        environment=target.environment,
        tenants=target.tenants,
        keys=target.keys,
        scopes=arguments.scopes,
        name=arguments.name,
        expires_in=arguments.expires_in,
    )
    key_id = Credential.parse(text).key_id
    row = {"api_key": text, "key_id": key_id, "tenant_id": arguments.tenant, "scopes": list(arguments.scopes)}
    output.print_answer(
        text, row, remark=f"Keep it now: it is shown this once, membus stores only a hash (key id {key_id})."
    )


def _list(arguments: Namespace, target: Target, output: Output) -> None:
    rows = [_row(key) for key in target.keys.list_keys(target.get_tenant(arguments.tenant).tenant_id)]
    output.print_rows(rows, nothing=f"No keys of {arguments.tenant} in {target.environment}.")


def _revoke(arguments: Namespace, target: Target, output: Output) -> None:
    key = target.keys.find_key(arguments.key_id)
    if key is None:
        raise NotFoundError(f"no key {arguments.key_id}")
    if arguments.dry_run:
        output.print_dry_run(f"refuse {key.key_id} ({key.name} of {key.tenant_id}) from now on", _row(key))
        return
    require_confirmation(arguments, f"Refuse {key.name} of {key.tenant_id} from now on?")
    key = target.keys.revoke_key(arguments.key_id, at=datetime.now(UTC))
    output.print_rows([_row(key)], nothing="")
    output.print_remark("The gateway may remember an admitted key for up to a minute.")


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


def _scopes(text: str) -> tuple[ApiScope, ...]:
    try:
        return tuple(ApiScope(name) for name in re.split(r"[,\s]+", text.strip()))
    except ValueError as error:
        raise ArgumentTypeError(f"{error}; scopes are {', '.join(ApiScope)}") from None


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", text)
    if match is None:
        raise ArgumentTypeError(f"'{text}' is no duration; write 30m, 12h, 90d or 52w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
