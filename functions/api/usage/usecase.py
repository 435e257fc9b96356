"""What a tenant's model calls have cost."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import add

from functions.api.usage.schemas import BudgetOut, UsageFigures, UsageItem, UsageReport
from membus.core.errors import InvalidError
from membus.tenants.costs import DailyUsage
from membus.tenants.ports import TenantStore, UsageLedger

DAYS_DEFAULT, DAYS_MAX = 30, 366


def report_usage(
    tenant: str,
    *,
    first: date | None,
    last: date | None,
    now: datetime,
    ledger: UsageLedger,
    tenants: TenantStore,
) -> UsageReport:
    """Return the usage from the first day to the last, both included; by default of the last 30 days.

    Raises:
        InvalidError: the days are in no order, or more than DAYS_MAX.
    """
    last = last or now.date()
    first = first or last - timedelta(days=DAYS_DEFAULT - 1)
    if not timedelta() <= last - first < timedelta(days=DAYS_MAX):
        raise InvalidError(f"`from` comes before `to`, by {DAYS_MAX - 1} days at most")
    usages = ledger.list_daily_usage(tenant, first, last)
    return UsageReport(
        first=first,
        last=last,
        items=[UsageItem.model_validate(each.model_dump()) for each in usages],
        total=_total_figures(usages, last),
        events=ledger.get_event_count(tenant, first, last),
        budget=_read_budget(tenant, now.date(), ledger, tenants),
    )


def _total_figures(usages: list[DailyUsage], day: date) -> UsageFigures:
    nothing = DailyUsage(
        day=day, function="", model="", calls=0, input=0, cache_read=0, cache_write=0, output=0, dollars=None
    )
    total = reduce(add, usages, nothing)
    dollars = total.dollars if usages else Decimal(0)
    return UsageFigures.model_validate(total.model_dump() | {"dollars": dollars})


def _read_budget(tenant: str, today: date, ledger: UsageLedger, tenants: TenantStore) -> BudgetOut:
    known, spent = tenants.find_tenant(tenant), ledger.get_spent_dollars(tenant, today)
    limit = known.daily_dollars if known else None
    return BudgetOut(
        dollars_per_day=None if limit is None else float(limit),
        spent_today=float(spent),
        exhausted=limit is not None and spent >= limit,
    )
