"""`usage`: what tenants' model calls cost, in all and for a thousand of their events."""

from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import add

from membus.core.errors import InvalidError
from membus.tenants.costs import DailyUsage, merge_daily_usage
from scripts.command import command, option, parse_day
from scripts.output import Output, Row, print_json
from scripts.target import Target

DAYS = 30
BRIEF = ("tenant_id", "function", "model", "calls", "dollars", "dollars_per_1000_events")
COUNTS = ("calls", "input", "cache_read", "cache_write", "output")


@dataclass(frozen=True)
class UsageBill:
    """What one tenant spent in some days, by function and model, and the events that arrived in them."""

    tenant_id: str
    usages: Sequence[DailyUsage]
    events: int

    def to_rows(self) -> list[Row]:
        return [_row(self.tenant_id, each.function, each.model, [each], self.events) for each in self.usages]

    def total_row(self) -> Row:
        return _row(self.tenant_id, "total", None, self.usages, self.events)


@command(
    "usage",
    "what model calls cost, in all and for 1,000 events",
    option("--tenant", help="of one tenant (default: of all)"),
    option(
        "--from", dest="first", type=parse_day, metavar="DAY", help=f"first day, UTC (default: {DAYS} days)"
    ),
    option("--to", dest="last", type=parse_day, metavar="DAY", help="last day, included (default: today)"),
    examples=["usage --from 2026-11-01", "usage --tenant acme --from 2026-11-01 --to 2026-11-07 --json"],
)
def report(arguments: Namespace, target: Target, output: Output) -> None:
    last = arguments.last or datetime.now(UTC).date()
    first = arguments.first or last - timedelta(days=DAYS - 1)
    if first > last:
        raise InvalidError("--from must not be after --to")
    found = [target.get_tenant(arguments.tenant)] if arguments.tenant else target.tenants.list_tenants()
    bills = [_make_bill(tenant.tenant_id, first, last, target) for tenant in found]
    shown = [bill for bill in bills if bill.usages or arguments.tenant]
    usages = [usage for bill in shown for usage in bill.usages]
    if output.as_json:
        total = _row(arguments.tenant, "total", None, usages, sum(bill.events for bill in shown))
        print_json({"items": [row for bill in shown for row in bill.to_rows()], "total": total})
    else:
        rows = [row for bill in shown for row in (*bill.to_rows(), bill.total_row())]
        output.print_rows(
            [row | {"unpriced_calls": row["unpriced_calls"] or None} for row in rows],
            nothing=f"No model was called in {target.environment} from {first} to {last}.",
            brief=BRIEF,
        )
    if any(usage.unpriced_calls for usage in usages):
        output.print_remark(
            "Some models have no price: their calls are missing from the dollars (MODEL_PRICES in Terraform)."
        )


def _make_bill(tenant_id: str, first: date, last: date, target: Target) -> UsageBill:
    daily = target.usage.list_daily_usage(tenant_id, first, last)
    usages = merge_daily_usage(each.model_copy(update={"day": first}) for each in daily)
    return UsageBill(tenant_id, usages, target.usage.get_event_count(tenant_id, first, last))


def _row(
    tenant_id: str | None, function: str, model: str | None, usages: Iterable[DailyUsage], events: int
) -> Row:
    parts = list(usages)
    total = reduce(add, parts) if parts else None
    dollars = total.dollars if total else Decimal(0)
    return {
        "tenant_id": tenant_id,
        "function": function,
        "model": model,
        **{name: getattr(total, name, 0) for name in COUNTS},
        "dollars": dollars,
        "unpriced_calls": total.unpriced_calls if total else 0,
        "events": events,
        "dollars_per_1000_events": None if dollars is None or not events else 1000 * dollars / events,
    }
