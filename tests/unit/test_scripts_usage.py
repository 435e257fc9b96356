"""scripts: budgets, and the bill per 1,000 events."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from membus.core.tokens import TokenUsage
from membus.tenants.costs import ModelCall
from membus.tenants.model import RateLimits, Tenant
from scripts.cli import main
from scripts.target import Target
from tests.fakes.api_keys import InMemoryApiKeys
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.tenants import InMemoryTenants
from tests.fakes.usage import InMemoryUsageLedger

NOW = datetime.now(UTC)
Run = Callable[..., int]


@pytest.fixture
def ledger() -> InMemoryUsageLedger:
    return InMemoryUsageLedger()


@pytest.fixture
def target(ledger: InMemoryUsageLedger) -> Target:
    tenants = InMemoryTenants(Tenant("acme", "Acme Ltd", NOW), Tenant("zeta", "Zeta", NOW))
    return Target("dev", tenants, InMemoryApiKeys(), InMemoryConversations(StoppedClock()), ledger)


@pytest.fixture
def run(target: Target) -> Run:
    return lambda *words: main(words, open_target=lambda _: target)


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


def test_rates_are_set_rehearsed_shown_and_lifted(
    run: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(*words: str) -> tuple[str | None, str | None]:
        assert run("tenant", "rate", "acme", *words, "--json") == 0
        (row,) = json.loads(capsys.readouterr().out)
        return row["requests_per_second"], row["events_per_second"]

    limits = RateLimits(requests_per_second=20, events_per_second=0.5)

    assert shown("--requests", "20", "--events", "0.5") == ("20", "0.5")
    assert target.tenants.find_tenant("acme").rates == limits  # type: ignore[union-attr]
    assert shown("--usual", "--dry-run") == (None, None)
    assert shown("--requests", "5", "--events", "5", "--dry-run") == ("5", "5")
    assert target.tenants.find_tenant("acme").rates == limits  # type: ignore[union-attr]
    assert shown("--usual") == (None, None)
    assert run("tenant", "rate", "acme", "--requests", "5") == 1
    assert run("tenant", "rate", "nobody", "--usual") == 1


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "many"])
def test_what_is_no_rate_is_refused(run: Run, rate: str) -> None:
    with pytest.raises(SystemExit):
        run("tenant", "rate", "acme", "--requests", rate, "--events", "5")


def test_a_budget_is_set_shown_and_lifted(
    run: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("tenant", "budget", "acme", "--dollars-per-day", "2.50", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["dollars_per_day"] == "2.50"
    limited = target.tenants.find_tenant("acme")
    assert limited
    assert limited.daily_dollars == Decimal("2.50")

    assert run("tenant", "budget", "acme", "--unlimited", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["dollars_per_day"] is None
    assert run("tenant", "budget", "nobody", "--unlimited") == 1


@pytest.mark.parametrize("words", [[], ["--dollars-per-day", "much"], ["--dollars-per-day", "NaN"]])
def test_a_budget_that_is_none_is_misuse(run: Run, words: list[str]) -> None:
    with pytest.raises(SystemExit) as misused:
        run("tenant", "budget", "acme", *words)

    assert misused.value.code == 2


def test_the_bill_adds_up_days_and_says_what_a_thousand_events_cost(
    run: Run, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(ledger, "0.30")
    spend(ledger, "0.10", at=NOW - timedelta(days=2))
    spend(ledger, "0.000002", function="extract", model="small")
    spend(ledger, "9", at=NOW - timedelta(days=99))
    ledger.add_event_count("acme", NOW.date(), 500)

    assert run("usage", "--json") == 0

    chat, extract, total = json.loads(capsys.readouterr().out)
    assert (chat["function"], chat["calls"], chat["input"], chat["dollars"]) == ("chat", "2", "200", "0.4000")
    assert (chat["dollars_per_1000_events"], extract["dollars"]) == ("0.8000", "0.000002")
    assert (total["function"], total["dollars"], total["events"]) == ("total", "0.4000", "500")


def test_days_and_a_tenant_can_be_named(
    run: Run, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(ledger, "1", at=datetime(2026, 11, 1, tzinfo=UTC))
    spend(ledger, "2", at=datetime(2026, 11, 2, tzinfo=UTC), tenant_id="zeta")
    ledger.add_event_count("zeta", date(2026, 11, 2), 1)

    run("usage", "--tenant", "zeta", "--from", "2026-11-01", "--to", "2026-11-02", "--json")

    rows = json.loads(capsys.readouterr().out)
    assert [(row["tenant_id"], row["dollars"], row["dollars_per_1000_events"]) for row in rows] == [
        ("zeta", "2.0000", "2000.0000")
    ] * 2


def test_what_has_no_price_is_pointed_out_and_not_counted_as_nothing(
    run: Run, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(ledger, None)

    assert run("usage", "--tenant", "acme") == 0

    answer = capsys.readouterr()
    assert "Some models have no price" in answer.err
    assert "0.0000" not in answer.out


def test_no_calls_are_said_so(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("usage") == 0
    assert "No model was called in dev" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--tenant", "nobody"], ["--from", "2026-11-02", "--to", "2026-11-01"]])
def test_an_unknown_tenant_and_days_in_no_order_are_refused(run: Run, words: list[str]) -> None:
    assert run("usage", *words) == 1
