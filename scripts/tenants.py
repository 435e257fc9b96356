"""`tenant create|list|show`: who membus keeps memory for."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from membus.domain.tenant import Tenant
from membus.errors import ConflictError, NotFoundError
from membus.ports.tenants import TenantStore
from scripts.output import Output, Row
from scripts.target import AddGroup, Target


def create_tenant(tenant_id: str, *, store: TenantStore, name: str | None = None) -> Tenant:
    """Raise ConflictError where the tenant exists, InvalidError for an id that cannot be one."""
    tenant = Tenant(tenant_id, name or tenant_id, datetime.now(UTC))
    store.add(tenant)
    return tenant


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    commands = add_group("tenant", help="who membus keeps memory for").add_subparsers(required=True)

    create = commands.add_parser("create", parents=[options], help="add a tenant")
    create.add_argument("tenant", help="its id: a-z, 0-9 and -")
    create.add_argument("--name", help="what people call it (default: its id)")
    create.add_argument("--if-absent", action="store_true", help="be content if it exists")
    create.set_defaults(run=_create)

    commands.add_parser("list", parents=[options], help="list all tenants").set_defaults(run=_list)

    show = commands.add_parser("show", parents=[options], help="show one tenant")
    show.add_argument("tenant")
    show.set_defaults(run=_show)


def _create(arguments: Namespace, target: Target, output: Output) -> None:
    try:
        create_tenant(arguments.tenant, store=target.tenants, name=arguments.name)
    except ConflictError:
        if not arguments.if_absent:
            raise
    _show(arguments, target, output)


def _list(arguments: Namespace, target: Target, output: Output) -> None:  # noqa: ARG001 - every command is called alike
    rows = [_row(tenant) for tenant in target.tenants.everyone()]
    output.rows(rows, nothing=f"No tenants in {target.environment} yet: `tenant create <id>` adds one.")


def _show(arguments: Namespace, target: Target, output: Output) -> None:
    tenant = target.tenants.find(arguments.tenant)
    if tenant is None:
        raise NotFoundError(f"no tenant {arguments.tenant} in {target.environment}")
    output.rows([_row(tenant)], nothing="")


def _row(tenant: Tenant) -> Row:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "created_at": tenant.created_at.isoformat(timespec="seconds"),
    }
