"""The composition of the cost ledger: which account a tenant's model calls go on."""

from functools import cache
from typing import TYPE_CHECKING

from membus.observability import EmfMonitor
from membus.wiring import _env, now

if TYPE_CHECKING:
    from membus.tenants.budget import BudgetAccount
    from membus.tenants.costs import PriceList
    from membus.tenants.ports import TenantStore, UsageLedger

ATTEMPTS, READ_SECONDS = 2, 1
"""A ledger that does not answer costs a model call two seconds at most, and never its answer."""


def account(tenant: str) -> "BudgetAccount":
    """Return the account of `tenant`; this function is written down as who spends."""
    from membus.tenants.budget import BudgetAccount

    return BudgetAccount(
        tenant=tenant,
        function=_env("POWERTOOLS_SERVICE_NAME"),
        ledger=usage_ledger(),
        tenants=tenants(),
        prices=_prices(),
        clock=now,
        monitor=EmfMonitor(),
    )


@cache
def usage_ledger() -> "UsageLedger":
    from membus.aws.clients import dynamodb_table
    from membus.tenants.dynamodb import DynamoUsage

    return DynamoUsage(
        dynamodb_table(_env("TENANTS_TABLE"), attempts=ATTEMPTS, read_timeout_seconds=READ_SECONDS)
    )


@cache
def tenants() -> "TenantStore":
    from membus.aws.clients import dynamodb_table
    from membus.tenants.dynamodb import DynamoTenants

    return DynamoTenants(
        dynamodb_table(_env("TENANTS_TABLE"), attempts=ATTEMPTS, read_timeout_seconds=READ_SECONDS)
    )


@cache
def _prices() -> "PriceList":
    from membus.tenants.costs import load_price_list

    return load_price_list(_env("MODEL_PRICES", "[]"))
