"""The account of a tenant's model calls.

Each is written down, and none begins once the day's money is spent.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from membus.core.clock import Clock
from membus.core.errors import BudgetError
from membus.core.tokens import TokenUsage
from membus.tenants.costs import ModelCall, PriceList, seconds_to_midnight
from membus.tenants.ports import TenantFinder, UsageLedger, UsageMonitor


@dataclass(frozen=True)
class BudgetAccount:
    """`tenant` is the one of the credential or of the event; `function` is who spends."""

    tenant: str
    function: str
    ledger: UsageLedger
    tenants: TenantFinder
    prices: PriceList
    clock: Clock
    monitor: UsageMonitor

    def check_budget(self, model: str) -> None:
        """Look, before every call, whether there is money left. Calls already under way are not called back.

        Raises:
            BudgetError: the tenant's dollars of this day are spent.
        """
        try:
            spent = self._overspent()
        except Exception as error:  # noqa: BLE001 - a ledger that is down must not take memory down with it
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
        """Write down what a call took and return it with its price.

        What cannot be written is counted and logged.
        """
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
        except Exception as error:  # noqa: BLE001 - as above; the log line holds what an operator would add by hand
            self.monitor.count_model_metrics(model, UsageUnrecorded=1)
            self.monitor.log_warning(
                "usage is not recorded", call=call.model_dump(mode="json"), error=type(error).__name__
            )
        return usage.model_copy(update={"dollars": None if dollars is None else float(dollars)})

    def _overspent(self) -> bool:
        tenant = self.tenants.find_tenant(self.tenant)
        budget = tenant.daily_dollars if tenant else None
        return budget is not None and self._spent() >= budget

    def _spent(self) -> Decimal:
        return self.ledger.get_spent_dollars(self.tenant, self.clock().date())

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
