"""Buckets in the tenants table.

`T#<tenant>#RATE`/`requests|events`, each one moment (`until_us`), gone after a day.

The partition is not the tenant's own, so whoever counts can change neither the tenant nor what it may send.
"""

from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import conflicting_item, translate_dynamodb_errors
from membus.domain.rates import RateLimit, RateLimitKind
from membus.errors import BusyError, ConflictError
from membus.ports.clock import Clock

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

    def take(self, tenant: str, limited: RateLimitKind, count: int, rate: RateLimit) -> float:
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
    takes_us = rate.takes_us(count)
    values = {":now": now_us, ":expires": now_us // 1_000_000 + BUCKET_LIFETIME_SECONDS}
    if not now_us < until_us <= rate.beyond_us(now_us):
        taken = ":after", "attribute_not_exists(pk) OR until_us <= :now OR until_us > :beyond"
        values |= {":after": now_us + takes_us, ":beyond": rate.beyond_us(now_us)}
    else:
        taken = "until_us + :takes", "until_us > :now AND until_us <= :full"
        values |= {":takes": takes_us, ":full": rate.full_us(count, now_us)}
    return {
        "UpdateExpression": f"SET until_us = {taken[0]}, expires_at = :expires",
        "ConditionExpression": taken[1],
        "ExpressionAttributeValues": values,
    }
