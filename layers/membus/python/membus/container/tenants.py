"""The parts of tenants: API keys, rate limits, and the accounts that model calls are booked to."""

from functools import cached_property
from typing import TYPE_CHECKING

from membus.container.parts import Parts
from membus.observability import EmfMonitor, EmfRateLimitMonitor
from membus.tenants.budget import BudgetAccount
from membus.tenants.costs import PriceList, load_price_list
from membus.tenants.dynamodb import DynamoRateLimits, DynamoTenants, DynamoUsage
from membus.tenants.dynamodb_settings import CachedSettings, DynamoSettings
from membus.tenants.model import RateLimit, RateLimits
from membus.tenants.ports import TenantStore, UsageLedger
from membus.tenants.quotas import TenantQuotas
from membus.tenants.rate_limiter import RateLimiter
from membus.tenants.settings import SettingsReader, SettingsStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class TenantParts(Parts):
    @cached_property
    def store(self) -> TenantStore:
        return DynamoTenants(self._table)

    @cached_property
    def settings_store(self) -> SettingsStore:
        return DynamoSettings(self._table)

    @cached_property
    def settings(self) -> SettingsReader:
        """The settings in force, half a minute old at most."""
        return CachedSettings(self.settings_store, self._container.clock)

    @cached_property
    def usage(self) -> UsageLedger:
        return DynamoUsage(self._table)

    def get_account(self, tenant: str) -> BudgetAccount:
        """Return the account of `tenant`; its entries name this function."""
        return BudgetAccount(
            tenant=tenant,
            function=self._settings.get_text("POWERTOOLS_SERVICE_NAME"),
            ledger=self.usage,
            tenants=self.store,
            prices=self._prices,
            clock=self._container.clock,
            monitor=EmfMonitor(),
        )

    @cached_property
    def rate_limiter(self) -> RateLimiter:
        return RateLimiter(
            rates=DynamoRateLimits(self._table, self._container.clock),
            tenants=self.store,
            usual=RateLimits.model_validate_json(self._settings.get_text("TENANT_RATES")),
            clock=self._container.clock,
            monitor=EmfRateLimitMonitor(self._container.environment),
        )

    @cached_property
    def extract_quotas(self) -> TenantQuotas:
        """The events of each tenant that this environment of extract reads before it reads others'."""
        quota = RateLimit(per_second=float(self._settings.get_text("EXTRACT_SHARE")))
        return TenantQuotas(quota, self._container.clock)

    @cached_property
    def _table(self) -> "Table":
        """A table that does not answer costs a request or a model call two seconds at most."""
        return self._container.open_table("TENANTS_TABLE", attempts=2, read_timeout_seconds=1)

    @cached_property
    def _prices(self) -> PriceList:
        return load_price_list(self._settings.get_text("MODEL_PRICES", "[]"))
