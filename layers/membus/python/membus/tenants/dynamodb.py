"""Tenants, their rate limits and their usage in DynamoDB.

Usage and rate limits lie in partitions beside the tenant's own: a function that counts can change neither the
tenant nor its budget nor what was erased. A bucket is one moment (`until_us`), gone after a day. Usage is one
item of sums for each day, function, model and shard; events stand under the function `-` and the model
`events`.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4
from zlib import crc32

from boto3.dynamodb.conditions import Attr, Key

from membus.aws.dynamodb.errors import conflicting_item
from membus.aws.dynamodb.keys import (
    TENANT_PREFIX,
    ItemKey,
    rate_limit_pk,
    tenant_of,
    tenant_pk,
    usage_pk,
)
from membus.aws.dynamodb.table import (
    ABSENT,
    PRESENT,
    DynamoTable,
    Item,
    put_item,
    update_item,
    within,
)
from membus.core.clock import Clock
from membus.core.errors import BusyError, ConflictError, NotFoundError
from membus.tenants.costs import DailyUsage, ModelCall, daily_usage_of_call, merge_daily_usage
from membus.tenants.model import RateLimit, RateLimitKind, RateLimits, Tenant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

BUCKET_LIFETIME_SECONDS = 86_400
CONSUME_ATTEMPTS_MAX = 3
"""A write is refused only where other environments took capacity meanwhile; the refusal says how much."""
CACHED_BUCKETS_MAX = 10_000


class DynamoRateLimits:
    """Takes capacity by one write; a request that cannot fit by what is known already costs none.

    A bucket's moment only grows while clocks agree, so the cached one is never later than the stored one.
    """

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = DynamoTable(table), clock
        self._known: dict[tuple[str, RateLimitKind], int] = {}

    def consume_capacity(self, tenant: str, limited: RateLimitKind, count: int, rate: RateLimit) -> float:
        for _ in range(CONSUME_ATTEMPTS_MAX):
            now_us = int(self._clock().timestamp() * 1_000_000)
            until_us = self._known.get((tenant, limited), 0)
            if wait := rate.wait_seconds(count, until_us=until_us, now_us=now_us):
                return wait
            key = {"pk": rate_limit_pk(tenant), "sk": limited}
            write = update_item(key, *_consume_update(count, rate, until_us, now_us))
            try:
                changed = self._table.write(write, doing="counting a tenant's rate", returns="UPDATED_NEW")
            except ConflictError as lost:
                self._remember(tenant, limited, int((conflicting_item(lost) or {}).get("until_us", 0)))
            else:
                self._remember(tenant, limited, int(changed["until_us"]))
                return 0
        raise BusyError("a tenant's bucket is contended")

    def _remember(self, tenant: str, limited: RateLimitKind, until_us: int) -> None:
        if len(self._known) >= CACHED_BUCKETS_MAX:
            self._known.clear()
        self._known[tenant, limited] = until_us


def _consume_update(
    count: int, rate: RateLimit, until_us: int, now_us: int
) -> tuple[str, str, dict[str, int]]:
    """Return expression, condition and values of the update that takes capacity.

    A full bucket is used up from now on, another one from where it is used up already.
    """
    takes_us = rate.consumption_us(count)
    values = {":now": now_us, ":expires": now_us // 1_000_000 + BUCKET_LIFETIME_SECONDS}
    if not now_us < until_us <= rate.implausible_after_us(now_us):
        after, condition = ":after", f"{ABSENT} OR until_us <= :now OR until_us > :beyond"
        values |= {":after": now_us + takes_us, ":beyond": rate.implausible_after_us(now_us)}
    else:
        after, condition = "until_us + :takes", "until_us > :now AND until_us <= :full"
        values |= {":takes": takes_us, ":full": rate.latest_used_until_us(count, now_us)}
    return f"SET until_us = {after}, expires_at = :expires", condition, values


class DynamoTenants:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def add_tenant(self, tenant: Tenant) -> None:
        item: Item = {
            **_tenant_key(tenant.tenant_id),
            "name": tenant.name,
            "created_at": tenant.created_at.isoformat(),
        }
        if tenant.daily_dollars is not None:
            item["daily_dollars"] = tenant.daily_dollars
        if tenant.rates is not None:
            item["rates"] = tenant.rates.model_dump_json()
        try:
            self._table.write(put_item(item, ABSENT), doing=f"creating tenant {tenant.tenant_id}")
        except ConflictError as error:
            raise ConflictError(f"tenant {tenant.tenant_id} exists") from error

    def find_tenant(self, tenant_id: str) -> Tenant | None:
        item = self._table.get(_tenant_key(tenant_id), doing="reading a tenant")
        return _tenant_from_item(item) if item else None

    def set_budget(self, tenant_id: str, daily_dollars: Decimal | None) -> Tenant:
        return self._set(tenant_id, "daily_dollars", daily_dollars)

    def set_rates(self, tenant_id: str, rates: RateLimits | None) -> Tenant:
        return self._set(tenant_id, "rates", rates.model_dump_json() if rates else None)

    def _set(self, tenant_id: str, limit: str, value: Decimal | str | None) -> Tenant:
        change, values = ("REMOVE #limit", None) if value is None else ("SET #limit = :v", {":v": value})
        update = update_item(_tenant_key(tenant_id), change, PRESENT, values, {"#limit": limit})
        try:
            item = self._table.write(update, doing="setting a limit", returns="ALL_NEW")
        except ConflictError as error:
            raise NotFoundError(f"no tenant {tenant_id}") from error
        return _tenant_from_item(item)

    def list_tenants(self) -> list[Tenant]:
        pages = self._table.scan_pages(
            doing="listing tenants",
            FilterExpression=Attr("pk").begins_with(TENANT_PREFIX) & Attr("sk").eq("META"),
            ConsistentRead=True,
        )
        found = [_tenant_from_item(item) for items, _ in pages for item in items]
        return sorted(found, key=lambda tenant: tenant.tenant_id)


def _tenant_key(tenant_id: str) -> ItemKey:
    return {"pk": tenant_pk(tenant_id), "sk": "META"}


def _tenant_from_item(item: Item) -> Tenant:
    return Tenant(
        tenant_id=tenant_of(item["pk"]),
        name=item["name"],
        created_at=datetime.fromisoformat(item["created_at"]),
        daily_dollars=item.get("daily_dollars"),
        rates=RateLimits.model_validate_json(item["rates"]) if "rates" in item else None,
    )


USAGE_SHARDS = 4
"""Items for the calls of one function to one model: 4,000 calls a second before one is hot."""
SUMMED_ATTRIBUTES = ("calls", "input", "cache_read", "cache_write", "output", "unpriced_calls")
EVENTS_SORT_KEY_SUFFIX = "-#events"


class DynamoUsage:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def record_call(self, call: ModelCall) -> None:
        spending = daily_usage_of_call(call)
        figures: Item = {name: getattr(spending, name) for name in SUMMED_ATTRIBUTES}
        if spending.dollars is not None:
            figures["dollars"] = spending.dollars
        what = f"{call.utc_day}#{call.function}#{call.model}"
        self._add(call.tenant_id, what, figures, write_id=call.call_id)

    def add_event_count(self, tenant: str, day: date, events: int) -> None:
        self._add(tenant, f"{day}#{EVENTS_SORT_KEY_SUFFIX}", {"events": events}, write_id=uuid4().hex)

    def get_spent_dollars(self, tenant: str, day: date) -> Decimal:
        spent = (item.get("dollars", Decimal(0)) for item in self._items(tenant, day, day))
        return sum(spent, start=Decimal(0))

    def list_daily_usage(self, tenant: str, first: date, last: date) -> list[DailyUsage]:
        return merge_daily_usage(
            _daily_usage_from_item(item) for item in self._items(tenant, first, last) if "calls" in item
        )

    def get_event_count(self, tenant: str, first: date, last: date) -> int:
        return sum(int(item.get("events", 0)) for item in self._items(tenant, first, last))

    def _add(self, tenant: str, what: str, figures: Item, *, write_id: str) -> None:
        """Add the figures to the shard of the write's id, which the shard keeps.

        A write that the SDK repeats, because its answer was lost, finds its own id and adds nothing, unless
        another write to the shard came in between.
        """
        update = update_item(
            {"pk": usage_pk(tenant), "sk": f"USAGE#{what}#{crc32(write_id.encode()) % USAGE_SHARDS}"},
            f"SET last_write = :id ADD {', '.join(f'#{name} :{name}' for name in figures)}",
            f"{ABSENT} OR last_write <> :id",
            {":id": write_id, **{f":{name}": value for name, value in figures.items()}},
            {f"#{name}": name for name in figures},
        )
        with suppress(ConflictError):
            self._table.write(update, doing="recording usage")

    def _items(self, tenant: str, first: date, last: date) -> Iterator[Item]:
        days = Key("sk").between(f"USAGE#{first}#", f"USAGE#{last}#\uffff")
        return self._table.query(within(usage_pk(tenant)) & days, doing="reading usage")


def _daily_usage_from_item(item: Item) -> DailyUsage:
    _, day, function, model, _ = item["sk"].split("#")
    figures = {name: int(item[name]) for name in SUMMED_ATTRIBUTES}
    return DailyUsage.model_validate(
        {"day": day, "function": function, "model": model, "dollars": item.get("dollars"), **figures}
    )
