"""The composition of the cost ledger: which account a tenant's model calls go on."""

from functools import cache
from typing import TYPE_CHECKING

from membus.observability import EmfMonitor
from membus.wiring import _env, now

if TYPE_CHECKING:
    from membus.asking.account import BudgetAccount
    from membus.domain.prices import PriceList
    from membus.ports.tenants import TenantStore
    from membus.ports.usage import UsageLedger

ATTEMPTS, READ_SECONDS = 2, 1
"""A ledger that does not answer costs a model call two seconds at most, and never its answer."""


def account(tenant: str) -> "BudgetAccount":
    """Return the account of `tenant`; this function is written down as who spends."""
    from membus.asking.account import BudgetAccount

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
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_usage import DynamoUsage

    return DynamoUsage(
        dynamodb_table(_env("TENANTS_TABLE"), attempts=ATTEMPTS, read_timeout_seconds=READ_SECONDS)
    )


@cache
def tenants() -> "TenantStore":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_tenants import DynamoTenants

    return DynamoTenants(
        dynamodb_table(_env("TENANTS_TABLE"), attempts=ATTEMPTS, read_timeout_seconds=READ_SECONDS)
    )


@cache
def _prices() -> "PriceList":
    from membus.domain.prices import load_price_list

    return load_price_list(_env("MODEL_PRICES", "[]"))
