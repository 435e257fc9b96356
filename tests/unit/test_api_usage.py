"""`GET /v1/usage`: what a tenant's model calls have cost, and what a spent budget stops."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from membus.core.errors import BudgetError
from membus.core.tokens import TokenUsage
from membus.tenants.costs import ModelCall
from tests.factories import NOON
from tests.fakes.model import ScriptedModel
from tests.support.api_client import EVERYDAY, ApiTestClient


@pytest.fixture
def door() -> ApiTestClient:
    return ApiTestClient(scopes=("admin",))


def spend(door: ApiTestClient, **fields: Any) -> None:
    defaults: dict[str, Any] = {
        "call_id": str(len(door.usage.calls)),
        "tenant_id": "acme",
        "function": "chat",
        "model": "large",
        "at": NOON,
        "usage": TokenUsage(input=100, output=10, cache_read=1000, cache_write=50),
        "dollars": Decimal("0.25"),
    }
    door.usage.record_call(ModelCall.model_validate(defaults | fields))


def test_tokens_calls_and_dollars_come_by_day_function_and_model(door: ApiTestClient) -> None:
    spend(door)
    spend(door)
    spend(door, function="extract", model="new", dollars=None)
    spend(door, at=NOON - timedelta(days=1))
    spend(door, tenant_id="zeta")
    door.usage.add_event_count("acme", NOON.date(), 7)

    report = door.get("/v1/usage").json

    assert (report["from"], report["to"], report["events"]) == ("2026-01-31", "2026-03-01", 7)
    figures = {"input": 200, "cache_read": 2000, "cache_write": 100, "output": 20}
    assert (
        report["items"][1]
        == {
            "day": "2026-03-01",
            "function": "chat",
            "model": "large",
            "calls": 2,
            "dollars": 0.5,
            "unpriced_calls": 0,
        }
        | figures
    )
    assert [(item["day"], item["model"], item["dollars"]) for item in report["items"]] == [
        ("2026-02-28", "large", 0.25),
        ("2026-03-01", "large", 0.5),
        ("2026-03-01", "new", None),
    ]
    assert report["total"] == {
        "calls": 4,
        "input": 400,
        "cache_read": 4000,
        "cache_write": 200,
        "output": 40,
        "dollars": 0.75,
        "unpriced_calls": 1,
    }


def test_usage_has_the_requested_days_with_both_ends(door: ApiTestClient) -> None:
    for days in range(4):
        spend(door, at=NOON - timedelta(days=days))

    report = door.get("/v1/usage", "from=2026-02-27&to=2026-02-28").json

    assert [item["day"] for item in report["items"]] == ["2026-02-27", "2026-02-28"]


def test_no_usage_is_zero_and_unknown_prices_are_null(door: ApiTestClient) -> None:
    assert door.get("/v1/usage").json["total"]["dollars"] == 0

    spend(door, dollars=None)

    assert door.get("/v1/usage").json["total"]["dollars"] is None


def test_usage_has_budget_and_spending_of_today(door: ApiTestClient) -> None:
    assert door.get("/v1/usage").json["budget"] == {
        "dollars_per_day": None,
        "spent_today": 0,
        "exhausted": False,
    }

    door.tenants.set_budget("acme", Decimal("0.25"))
    spend(door)

    assert door.get("/v1/usage").json["budget"] == {
        "dollars_per_day": 0.25,
        "spent_today": 0.25,
        "exhausted": True,
    }


@pytest.mark.parametrize(
    "query", ["from=2026-03-02&to=2026-03-01", "from=2024-01-01&to=2026-03-01", "from=soon"]
)
def test_invalid_range_of_days_is_rejected(door: ApiTestClient, query: str) -> None:
    answer = door.get("/v1/usage", query)

    assert (answer.status, answer.code) == (422, "invalid")


def test_usage_needs_the_admin_scope(door: ApiTestClient) -> None:
    door.scopes = EVERYDAY

    assert (door.get("/v1/usage").status, door.get("/v1/usage").code) == (403, "scope_missing")


def test_spent_budget_ends_a_turn_with_402_and_stores_nothing(door: ApiTestClient) -> None:
    door.scopes = EVERYDAY
    door.model = ScriptedModel(
        BudgetError("the budget is spent", retry_after_seconds=43_201), "Good morning."
    )
    made = door.post("/v1/conversations", {"user_id": "ada"}).json["conversation_id"]
    said = {"content": "Hello", "author": "ada"}

    answer = door.post(f"/v1/conversations/{made}/messages", said, key="turn-1")

    assert (answer.status, answer.code, answer.headers["retry-after"]) == (402, "budget_exhausted", "43201")
    assert door.post(f"/v1/conversations/{made}/messages", said, key="turn-1").status == 200
