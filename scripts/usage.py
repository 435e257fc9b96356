"""`usage`: what tenants' model calls cost, and how much that is for a thousand of their events."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from membus.core.errors import InvalidError
from membus.tenants.costs import DailyUsage, add_dollars, merge_daily_usage
from membus.tenants.ports import UsageLedger
from scripts.command import parse_day
from scripts.output import Output, Row
from scripts.target import AddGroup, Target

DAYS = 30
CENT = Decimal("0.0001")
ALL = "total"
BRIEF = ("tenant_id", "function", "model", "calls", "dollars", "dollars_per_1000_events")


@dataclass(frozen=True)
class UsageBill:
    """What one tenant spent in some days, whole, for the events that arrived in them."""

    tenant_id: str
    spendings: list[DailyUsage]
    events: int

    def to_rows(self) -> Iterator[Row]:
        whole = date.min
        for each in merge_daily_usage(
            spending.model_copy(update={"day": whole}) for spending in self.spendings
        ):
            yield self._row(each.function, each.model, [each])
        yield self._row(ALL, None, self.spendings)

    def _row(self, function: str, model: str | None, spendings: Iterable[DailyUsage]) -> Row:
        parts = list(spendings)
        dollars: Decimal | None = None if parts else Decimal(0)
        for each in parts:
            dollars = add_dollars(dollars, each.dollars)
        unpriced = sum(each.unpriced_calls for each in parts)
        return {
            "tenant_id": self.tenant_id,
            "function": function,
            "model": model,
            "calls": _sum(each.calls for each in parts),
            "input": _sum(each.input for each in parts),
            "cache_read": _sum(each.cache_read for each in parts),
            "cache_write": _sum(each.cache_write for each in parts),
            "output": _sum(each.output for each in parts),
            "dollars": _dollars(dollars),
            "unpriced_calls": str(unpriced) if unpriced else None,
            "events": str(self.events),
            "dollars_per_1000_events": _dollars(self._per_thousand(dollars)),
        }

    def _per_thousand(self, dollars: Decimal | None) -> Decimal | None:
        return None if dollars is None or not self.events else 1000 * dollars / self.events


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    usage = add_group(
        "usage",
        parents=[options],
        help="what model calls cost, and for 1,000 events",
        examples=["usage --from 2026-11-01", "usage --tenant acme --from 2026-11-01 --to 2026-11-07 --json"],
    )
    usage.add_argument("--tenant", help="one tenant's (default: everybody's)")
    usage.add_argument(
        "--from", dest="first", type=parse_day, metavar="DAY", help=f"first day, UTC (default: {DAYS} days)"
    )
    usage.add_argument(
        "--to", dest="last", type=parse_day, metavar="DAY", help="last day, included (default: today)"
    )
    usage.set_defaults(run=_usage)


def make_bill(tenant_id: str, first: date, last: date, *, ledger: UsageLedger) -> UsageBill:
    return UsageBill(
        tenant_id,
        ledger.list_daily_usage(tenant_id, first, last),
        ledger.get_event_count(tenant_id, first, last),
    )


def _usage(arguments: Namespace, target: Target, output: Output) -> None:
    last = arguments.last or datetime.now(UTC).date()
    first = arguments.first or last - timedelta(days=DAYS - 1)
    if first > last:
        raise InvalidError("--from comes before --to")
    bills = [
        make_bill(tenant, first, last, ledger=target.usage) for tenant in _tenants(arguments.tenant, target)
    ]
    rows = [row for each in bills if each.spendings or arguments.tenant for row in each.to_rows()]
    output.print_rows(
        rows, nothing=f"No model was called in {target.environment} from {first} to {last}.", brief=BRIEF
    )
    if any(spending.unpriced_calls for each in bills for spending in each.spendings):
        output.print_remark(
            "Some models have no price: their calls are missing from the dollars (MODEL_PRICES in Terraform)."
        )


def _tenants(wanted: str | None, target: Target) -> list[str]:
    if wanted is None:
        return [tenant.tenant_id for tenant in target.tenants.list_tenants()]
    return [target.get_tenant(wanted).tenant_id]


def _sum(values: Iterable[int]) -> str:
    return str(sum(values))


def _dollars(dollars: Decimal | None) -> str | None:
    """Return what is known to a hundredth of a cent, and more only of what would be nothing else."""
    if dollars is None:
        return None
    return str(dollars.quantize(CENT)) if not dollars or dollars >= CENT else f"{dollars:.2g}"
