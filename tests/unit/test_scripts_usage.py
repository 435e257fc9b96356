"""scripts: budgets, and the bill per 1,000 events."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from membus.core.tokens import TokenUsage
from membus.tenants.costs import ModelCall
from membus.tenants.model import RateLimits
from scripts.target import Target
from tests.fakes.usage import InMemoryUsageLedger
from tests.support.targets import NOW, Run, a_target, a_tenant, run_on


@pytest.fixture
def ledger() -> InMemoryUsageLedger:
    return InMemoryUsageLedger()


@pytest.fixture
def target(ledger: InMemoryUsageLedger) -> Target:
    return a_target(a_tenant(), a_tenant("zeta"), usage=ledger)


@pytest.fixture
def run(target: Target) -> Run:
    return run_on(target)


def spend(ledger: InMemoryUsageLedger, dollars: str | None, **fields: Any) -> None:
    defaults: dict[str, Any] = {
        "call_id": str(len(ledger.calls)),
        "tenant_id": "acme",
        "function": "chat",
        "model": "large",
        "at": NOW,
        "usage": TokenUsage(input=100, output=10),
        "dollars": None if dollars is None else Decimal(dollars),
    }
    ledger.record_call(ModelCall.model_validate(defaults | fields))


def test_rate_limits_are_set_shown_and_removed(
    run: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(*words: str) -> tuple[float | None, float | None]:
        assert run("tenant", "rate", "acme", *words, "--json") == 0
        (row,) = json.loads(capsys.readouterr().out)
        return row["requests_per_second"], row["events_per_second"]

    limits = RateLimits(requests_per_second=20, events_per_second=0.5)

    assert shown("--requests", "20", "--events", "0.5") == (20, 0.5)
    assert target.tenants.find_tenant("acme").rates == limits  # type: ignore[union-attr]
    assert shown("--usual", "--dry-run") == (None, None)
    assert shown("--requests", "5", "--events", "5", "--dry-run") == (5, 5)
    assert target.tenants.find_tenant("acme").rates == limits  # type: ignore[union-attr]
    assert shown("--usual") == (None, None)
    assert run("tenant", "rate", "acme", "--requests", "5") == 1
    assert run("tenant", "rate", "nobody", "--usual") == 1


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "many"])
def test_invalid_rate_is_misuse(run: Run, rate: str) -> None:
    with pytest.raises(SystemExit):
        run("tenant", "rate", "acme", "--requests", rate, "--events", "5")


def test_budget_is_set_shown_and_removed(
    run: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("tenant", "budget", "acme", "--dollars-per-day", "2.50", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["dollars_per_day"] == 2.5
    limited = target.tenants.find_tenant("acme")
    assert limited
    assert limited.daily_dollars == Decimal("2.50")

    assert run("tenant", "budget", "acme", "--unlimited", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["dollars_per_day"] is None
    assert run("tenant", "budget", "nobody", "--unlimited") == 1


@pytest.mark.parametrize("words", [[], ["--dollars-per-day", "much"], ["--dollars-per-day", "NaN"]])
def test_invalid_budget_is_misuse(run: Run, words: list[str]) -> None:
    with pytest.raises(SystemExit) as misused:
        run("tenant", "budget", "acme", *words)

    assert misused.value.code == 2


def test_bill_adds_up_days_and_has_the_cost_of_a_thousand_events(
    run: Run, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(ledger, "0.30")
    spend(ledger, "0.10", at=NOW - timedelta(days=2))
    spend(ledger, "0.000002", function="extract", model="small")
    spend(ledger, "9", at=NOW - timedelta(days=99))
    ledger.add_event_count("acme", NOW.date(), 500)

    assert run("usage", "--json") == 0

    bill = json.loads(capsys.readouterr().out)
    chat, extract = bill["items"]
    assert (chat["function"], chat["calls"], chat["input"], chat["dollars"]) == ("chat", 2, 200, 0.4)
    assert (chat["dollars_per_1000_events"], extract["dollars"]) == (0.8, 0.000002)
    assert bill["total"] == {
        "tenant_id": None,
        "function": "total",
        "model": None,
        "calls": 3,
        "input": 300,
        "cache_read": 0,
        "cache_write": 0,
        "output": 30,
        "dollars": 0.400002,
        "unpriced_calls": 0,
        "events": 500,
        "dollars_per_1000_events": 0.800004,
    }


def test_table_rounds_dollars_and_has_a_total_for_each_tenant(
    run: Run, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    spend(ledger, "0.30")
    spend(ledger, "0.000002", tenant_id="zeta")

    assert run("usage") == 0

    _, acme, acme_total, zeta, zeta_total = (line.split() for line in capsys.readouterr().out.splitlines())
    assert (acme[:3], acme_total[:3]) == (["acme", "chat", "large"], ["acme", "total", "-"])
    assert ("0.3000" in acme, "0.3000" in acme_total) == (True, True)
    assert ("0.000002" in zeta, "0.000002" in zeta_total) == (True, True)


def test_bill_of_one_tenant_and_some_days(
    run: Run, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(ledger, "1", at=datetime(2026, 11, 1, tzinfo=UTC))
    spend(ledger, "2", at=datetime(2026, 11, 2, tzinfo=UTC), tenant_id="zeta")
    ledger.add_event_count("zeta", date(2026, 11, 2), 1)

    run("usage", "--tenant", "zeta", "--from", "2026-11-01", "--to", "2026-11-02", "--json")

    bill = json.loads(capsys.readouterr().out)
    rows = [*bill["items"], bill["total"]]
    figures = [(row["tenant_id"], row["dollars"], row["dollars_per_1000_events"]) for row in rows]
    assert figures == [("zeta", 2, 2000)] * 2


def test_calls_without_price_are_reported_and_not_counted_as_zero(
    run: Run, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(ledger, None)

    assert run("usage", "--tenant", "acme") == 0

    answer = capsys.readouterr()
    assert "Some models have no price" in answer.err
    assert "0.0000" not in answer.out


def test_no_calls_are_reported(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("usage") == 0
    assert "No model was called in dev" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--tenant", "nobody"], ["--from", "2026-11-02", "--to", "2026-11-01"]])
def test_unknown_tenant_and_days_in_wrong_order_are_refused(run: Run, words: list[str]) -> None:
    assert run("usage", *words) == 1
