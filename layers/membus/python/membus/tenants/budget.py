"""The account of a tenant's model calls: each is recorded, and none begins once the day's budget is spent."""

from dataclasses import dataclass
from uuid import uuid4

from membus.core.clock import Clock
from membus.core.errors import BudgetError
from membus.core.tokens import TokenUsage
from membus.tenants.costs import ModelCall, PriceList, seconds_to_midnight
from membus.tenants.ports import TenantFinder, UsageLedger, UsageMonitor


@dataclass(frozen=True)
class BudgetAccount:
    """The account of one tenant, by credential or event, in one function."""

    tenant: str
    function: str
    ledger: UsageLedger
    tenants: TenantFinder
    prices: PriceList
    clock: Clock
    monitor: UsageMonitor

    def check_budget(self, model: str) -> None:
        """Check before a call that money is left; calls in progress go on.

        Raises:
            BudgetError: the tenant's dollars of this day are spent.
        """
        try:
            spent = self._overspent()
        except Exception as error:  # noqa: BLE001 - calls go on without the ledger
            self.monitor.count_model_metrics(model, BudgetsUnchecked=1)
            self.monitor.log_warning(
                "a budget cannot be checked", tenant_id=self.tenant, error=type(error).__name__
            )
            return
        if spent:
            self.monitor.count_model_metrics(model, BudgetRefusals=1)
            raise BudgetError(
                "the budget of this tenant is spent until midnight, UTC",
                retry_after_seconds=seconds_to_midnight(self.clock()),
            )

    def charge_call(self, model: str, usage: TokenUsage, *, requests: int = 1) -> TokenUsage:
        """Record a call's usage and return it with its price; a record that fails is counted and logged."""
        now = self.clock()
        dollars = self.prices.cost_dollars(model, usage, day=now.date())
        call = ModelCall(
            call_id=uuid4().hex,
            tenant_id=self.tenant,
            function=self.function,
            model=model,
            at=now,
            usage=usage,
            dollars=dollars,
            requests=requests,
        )
        self._observe(call)
        try:
            self.ledger.record_call(call)
        except Exception as error:  # noqa: BLE001 - as above; the log line holds the call for an operator
            self.monitor.count_model_metrics(model, UsageUnrecorded=1)
            self.monitor.log_warning(
                "usage is not recorded", call=call.model_dump(mode="json"), error=type(error).__name__
            )
        return usage.model_copy(update={"dollars": None if dollars is None else float(dollars)})

    def _overspent(self) -> bool:
        tenant = self.tenants.find_tenant(self.tenant)
        budget = tenant.daily_dollars if tenant else None
        today = self.clock().date()
        return budget is not None and self.ledger.get_spent_dollars(self.tenant, today) >= budget

    def _observe(self, call: ModelCall) -> None:
        usage = call.usage
        self.monitor.count_model_metrics(
            call.model,
            ModelRequests=call.requests,
            TokensFresh=usage.input,
            TokensCacheRead=usage.cache_read,
            TokensCacheWritten=usage.cache_write,
            TokensOut=usage.output,
        )
        if call.dollars is None:
            self.monitor.count_model_metrics(call.model, UnpricedCalls=1)
            self.monitor.log_warning("this model has no price", model=call.model, tenant_id=call.tenant_id)
