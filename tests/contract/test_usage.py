"""The port UsageLedger, on the fake, on DynamoDB in this process and on the deployed table."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from membus.core.tokens import TokenUsage
from membus.tenants.costs import DailyUsage, ModelCall
from membus.tenants.dynamodb import USAGE_SHARDS, DynamoTenants, DynamoUsage
from membus.tenants.model import Tenant
from membus.tenants.ports import UsageLedger
from tests.fakes.usage import InMemoryUsageLedger
from tests.strict import strict_aws
from tests.support.backends import OnEveryBackend
from tests.support.tables import make_table

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY, TOMORROW = NOON.date(), date(2026, 11, 21)


@pytest.fixture
def tenant() -> str:
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
def ledger(on_every_backend: OnEveryBackend) -> UsageLedger:
    return on_every_backend(InMemoryUsageLedger, lambda aws: DynamoUsage(aws.get_table("tenants")))


def a_call(tenant: str, **fields: Any) -> ModelCall:
    defaults: dict[str, Any] = {
        "call_id": uuid4().hex,
        "tenant_id": tenant,
        "function": "chat",
        "model": "amazon.titan-embed-text-v2:0",
        "at": NOON,
        "usage": TokenUsage(input=7, output=3, cache_read=5, cache_write=2),
        "dollars": Decimal("0.00000123"),
    }
    return ModelCall.model_validate(defaults | fields)


def test_calls_add_up_by_day_function_and_model(ledger: UsageLedger, tenant: str) -> None:
    for _ in range(3 * USAGE_SHARDS):
        ledger.record_call(a_call(tenant))
    ledger.record_call(
        a_call(tenant, function="extract", model="small", usage=TokenUsage(input=1, output=1), requests=4)
    )
    ledger.record_call(a_call(tenant, at=NOON + timedelta(hours=12)))

    count = 3 * USAGE_SHARDS
    assert ledger.list_daily_usage(tenant, TODAY, TODAY) == [
        DailyUsage(
            day=TODAY,
            function="chat",
            model="amazon.titan-embed-text-v2:0",
            calls=count,
            input=7 * count,
            cache_read=5 * count,
            cache_write=2 * count,
            output=3 * count,
            dollars=Decimal("0.00000123") * count,
        ),
        DailyUsage(
            day=TODAY,
            function="extract",
            model="small",
            calls=4,
            input=1,
            cache_read=0,
            cache_write=0,
            output=1,
            dollars=Decimal("0.00000123"),
        ),
    ]
    assert [each.day for each in ledger.list_daily_usage(tenant, TODAY, TOMORROW)] == [TODAY, TODAY, TOMORROW]
    assert ledger.get_spent_dollars(tenant, TODAY) == Decimal("0.00000123") * (count + 1)


def test_a_record_that_is_repeated_counts_once(ledger: UsageLedger, tenant: str) -> None:
    call = a_call(tenant)

    for _ in range(3):
        ledger.record_call(call)

    assert [each.calls for each in ledger.list_daily_usage(tenant, TODAY, TODAY)] == [1]


def test_unpriced_call_has_an_unknown_cost(ledger: UsageLedger, tenant: str) -> None:
    ledger.record_call(a_call(tenant, model="new", dollars=None))
    ledger.record_call(a_call(tenant, model="priced-since-noon", dollars=None))
    ledger.record_call(a_call(tenant, model="priced-since-noon", dollars=Decimal(2)))

    assert [
        (each.model, each.dollars, each.unpriced_calls)
        for each in ledger.list_daily_usage(tenant, TODAY, TODAY)
    ] == [
        ("new", None, 1),
        ("priced-since-noon", Decimal(2), 1),
    ]
    assert ledger.get_spent_dollars(tenant, TODAY) == 2


def test_usage_belongs_to_one_tenant(ledger: UsageLedger, tenant: str) -> None:
    ledger.record_call(a_call(tenant))
    ledger.add_event_count(tenant, TODAY, 5)

    for other in (f"{tenant}1", tenant[:-1]):
        assert ledger.list_daily_usage(other, TODAY, TODAY) == []
        assert ledger.get_spent_dollars(other, TODAY) == ledger.get_event_count(other, TODAY, TODAY) == 0


def test_events_are_counted_beside_the_calls(ledger: UsageLedger, tenant: str) -> None:
    ledger.add_event_count(tenant, TODAY, 5)
    ledger.add_event_count(tenant, TODAY, 2)
    ledger.add_event_count(tenant, TOMORROW, 1)

    assert ledger.get_event_count(tenant, TODAY, TODAY) == 7
    assert ledger.get_event_count(tenant, TODAY, TOMORROW) == 8
    assert ledger.list_daily_usage(tenant, TODAY, TOMORROW) == []


def test_usage_items_have_their_own_partition(tenant: str) -> None:
    with strict_aws():
        table = make_table("tenants")
        tenants = DynamoTenants(table)
        tenants.add_tenant(known := Tenant(tenant, tenant, NOON))
        DynamoUsage(table).record_call(a_call(tenant))

        assert tenants.list_tenants() == [known]
        assert {item["pk"] for item in table.scan()["Items"]} == {f"T#{tenant}", f"T#{tenant}#USAGE"}


def test_calls_are_spread_over_items() -> None:
    with strict_aws():
        table = make_table("tenants")
        for _ in range(20 * USAGE_SHARDS):
            DynamoUsage(table).record_call(a_call("acme"))

        assert table.scan(Select="COUNT")["Count"] == USAGE_SHARDS
