"""Buckets in the tenants table.

`T#<tenant>#RATE`/`requests|events`, each one moment (`until_us`), gone after a day.

The partition is not the tenant's own, so whoever counts can change neither the tenant nor what it may send.

Tenants in the tenants table: `T#<tenant>`/`META`.

Usage in the tenants table.

`T#<tenant>#USAGE`/`USAGE#<day>#<function>#<model>#<shard>`, one item of sums each.

The partition is not the tenant's own, so whoever may write usage cannot touch the tenant, its budget or its
erasures. Events stand under the function `-` and the model `events`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zlib import crc32

from membus.aws.dynamodb.errors import conflicting_item, translate_dynamodb_errors
from membus.core.clock import Clock
from membus.core.errors import BusyError, ConflictError, NotFoundError
from membus.tenants.costs import DailyUsage, ModelCall, daily_usage_of_call, merge_daily_usage
from membus.tenants.model import RateLimit, RateLimitKind, RateLimits, Tenant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
BUCKET_LIFETIME_SECONDS = 86_400
CONSUME_ATTEMPTS_MAX = 3
"""A write is refused only by what other environments took meanwhile, which names the write that fits."""
CACHED_BUCKETS_MAX = 10_000


class DynamoRateLimits:
    """One write for what passes; what does not fit by what is known already costs none.

    While clocks agree a bucket's moment only grows, so what an environment remembers of it is too early, if
    anything.
    """

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock
        self._known: dict[tuple[str, RateLimitKind], int] = {}

    def consume_capacity(self, tenant: str, limited: RateLimitKind, count: int, rate: RateLimit) -> float:
        key = tenant, limited
        for _ in range(CONSUME_ATTEMPTS_MAX):
            now_us = int(self._clock().timestamp() * 1_000_000)
            until_us = self._known.get(key, 0)
            if wait := rate.wait_seconds(count, until_us=until_us, now_us=now_us):
                return wait
            try:
                with translate_dynamodb_errors("counting a tenant's rate"):
                    changed = self._table.update_item(
                        Key={"pk": f"T#{tenant}#RATE", "sk": limited},
                        ReturnValues="UPDATED_NEW",
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                        **_consume_update(count, rate, until_us, now_us),
                    )
            except ConflictError as lost:
                self._remember(key, int((conflicting_item(lost) or {}).get("until_us", 0)))
            else:
                self._remember(key, int(str(changed["Attributes"]["until_us"])))
                return 0
        raise BusyError("a tenant's bucket is contended")

    def _remember(self, key: tuple[str, RateLimitKind], until_us: int) -> None:
        if len(self._known) >= CACHED_BUCKETS_MAX:
            self._known.clear()
        self._known[key] = until_us


def _consume_update(count: int, rate: RateLimit, until_us: int, now_us: int) -> dict[str, Any]:
    """Return the write that takes.

    Out of a full bucket from now on, out of another behind what was taken before.
    """
    takes_us = rate.consumption_us(count)
    values = {":now": now_us, ":expires": now_us // 1_000_000 + BUCKET_LIFETIME_SECONDS}
    if not now_us < until_us <= rate.implausible_after_us(now_us):
        taken = ":after", "attribute_not_exists(pk) OR until_us <= :now OR until_us > :beyond"
        values |= {":after": now_us + takes_us, ":beyond": rate.implausible_after_us(now_us)}
    else:
        taken = "until_us + :takes", "until_us > :now AND until_us <= :full"
        values |= {":takes": takes_us, ":full": rate.latest_used_until_us(count, now_us)}
    return {
        "UpdateExpression": f"SET until_us = {taken[0]}, expires_at = :expires",
        "ConditionExpression": taken[1],
        "ExpressionAttributeValues": values,
    }


class DynamoTenants:
    def __init__(self, table: "Table") -> None:
        self._table, self._client = table, table.meta.client

    def add_tenant(self, tenant: Tenant) -> None:
        item = _tenant_key(tenant.tenant_id) | {
            "name": tenant.name,
            "created_at": tenant.created_at.isoformat(),
        }
        if tenant.daily_dollars is not None:
            item["daily_dollars"] = tenant.daily_dollars
        if tenant.rates is not None:
            item["rates"] = tenant.rates.model_dump_json()
        with translate_dynamodb_errors(f"creating tenant {tenant.tenant_id}"):
            try:
                self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
            except self._client.exceptions.ConditionalCheckFailedException as error:
                raise ConflictError(f"tenant {tenant.tenant_id} exists") from error

    def find_tenant(self, tenant_id: str) -> Tenant | None:
        with translate_dynamodb_errors("reading a tenant"):
            answer = self._table.get_item(Key=_tenant_key(tenant_id), ConsistentRead=True)
        return _tenant_from_item(answer["Item"]) if "Item" in answer else None

    def set_budget(self, tenant_id: str, daily_dollars: Decimal | None) -> Tenant:
        return self._set(tenant_id, "daily_dollars", daily_dollars)

    def set_rates(self, tenant_id: str, rates: RateLimits | None) -> Tenant:
        return self._set(tenant_id, "rates", rates.model_dump_json() if rates else None)

    def _set(self, tenant_id: str, limit: str, value: Decimal | str | None) -> Tenant:
        change: dict[str, Any] = {"UpdateExpression": "REMOVE #limit"}
        if value is not None:
            change = {
                "UpdateExpression": "SET #limit = :value",
                "ExpressionAttributeValues": {":value": value},
            }
        try:
            with translate_dynamodb_errors("setting a limit"):
                answer = self._table.update_item(
                    Key=_tenant_key(tenant_id),
                    ConditionExpression="attribute_exists(pk)",
                    ReturnValues="ALL_NEW",
                    ExpressionAttributeNames={"#limit": limit},
                    **change,
                )
        except ConflictError as error:
            raise NotFoundError(f"no tenant {tenant_id}") from error
        return _tenant_from_item(answer["Attributes"])

    def list_tenants(self) -> list[Tenant]:
        scan = self._client.get_paginator("scan")
        with translate_dynamodb_errors("listing tenants"):
            pages = scan.paginate(
                TableName=self._table.name,
                FilterExpression="begins_with(pk, :tenants) AND sk = :meta",
                ExpressionAttributeValues={":tenants": "T#", ":meta": "META"},
                ConsistentRead=True,
            )
            found = [_tenant_from_item(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda tenant: tenant.tenant_id)


def _tenant_key(tenant_id: str) -> dict[str, Any]:
    return {"pk": f"T#{tenant_id}", "sk": "META"}


def _tenant_from_item(item: Mapping[str, Any]) -> Tenant:
    return Tenant(
        tenant_id=item["pk"].removeprefix("T#"),
        name=item["name"],
        created_at=datetime.fromisoformat(item["created_at"]),
        daily_dollars=item.get("daily_dollars"),
        rates=RateLimits.model_validate_json(item["rates"]) if "rates" in item else None,
    )


USAGE_SHARDS = 4
"""Items that one function's calls to one model are spread over.

4,000 calls a second before one of them is hot.
"""
SUMMED_ATTRIBUTES = ("calls", "input", "cache_read", "cache_write", "output", "unpriced_calls")
EVENTS_SORT_KEY_SUFFIX = "-#events"


class DynamoUsage:
    def __init__(self, table: "Table") -> None:
        self._table, self._client = table, table.meta.client

    def record_call(self, call: ModelCall) -> None:
        spending = daily_usage_of_call(call)
        figures: dict[str, Any] = {name: getattr(spending, name) for name in SUMMED_ATTRIBUTES}
        if spending.dollars is not None:
            figures["dollars"] = spending.dollars
        self._add(
            call.tenant_id, f"{call.utc_day}#{call.function}#{call.model}", figures, write_id=call.call_id
        )

    def add_event_count(self, tenant: str, day: date, events: int) -> None:
        self._add(tenant, f"{day}#{EVENTS_SORT_KEY_SUFFIX}", {"events": events}, write_id=uuid4().hex)

    def get_spent_dollars(self, tenant: str, day: date) -> Decimal:
        return sum(
            (item.get("dollars", Decimal(0)) for item in self._items(tenant, day, day)), start=Decimal(0)
        )

    def list_daily_usage(self, tenant: str, first: date, last: date) -> list[DailyUsage]:
        return merge_daily_usage(
            _daily_usage_from_item(item) for item in self._items(tenant, first, last) if "calls" in item
        )

    def get_event_count(self, tenant: str, first: date, last: date) -> int:
        return sum(int(item.get("events", 0)) for item in self._items(tenant, first, last))

    def _add(self, tenant: str, what: str, figures: dict[str, Any], *, write_id: str) -> None:
        """Add the figures to a shard that the write's id chooses; the shard keeps that id.

        So a write that the SDK repeats, because its answer was lost, meets its own id and is not added again;
        unless another write to the same shard came in between.
        """
        sums = ", ".join(f"#{name} :{name}" for name in figures)
        values = {f":{name}": value for name, value in figures.items()}
        shard = crc32(write_id.encode()) % USAGE_SHARDS
        try:
            with translate_dynamodb_errors("recording usage"):
                self._table.update_item(
                    Key={"pk": _usage_partition_key(tenant), "sk": f"USAGE#{what}#{shard}"},
                    UpdateExpression=f"SET last_write = :id ADD {sums}",
                    ConditionExpression="attribute_not_exists(pk) OR last_write <> :id",
                    ExpressionAttributeNames={f"#{name}": name for name in figures},
                    ExpressionAttributeValues=values | {":id": write_id},
                )
        except ConflictError:
            return

    def _items(self, tenant: str, first: date, last: date) -> Iterator[Any]:
        query = self._client.get_paginator("query")
        with translate_dynamodb_errors("reading usage"):
            pages: Iterable[Any] = query.paginate(
                TableName=self._table.name,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": _usage_partition_key(tenant),
                    ":first": f"USAGE#{first}#",
                    ":last": f"USAGE#{last}#\uffff",
                },
                ConsistentRead=True,
            )
            for page in pages:
                yield from page["Items"]


def _usage_partition_key(tenant: str) -> str:
    return f"T#{tenant}#USAGE"


def _daily_usage_from_item(item: dict[str, Any]) -> DailyUsage:
    _, day, function, model, _ = item["sk"].split("#")
    figures = {name: int(item[name]) for name in SUMMED_ATTRIBUTES}
    return DailyUsage.model_validate(
        {"day": day, "function": function, "model": model, "dollars": item.get("dollars"), **figures}
    )
