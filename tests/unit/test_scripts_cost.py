"""scripts cost estimate: counted work times dated prices, the same figures as docs/cost.md's."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from membus.core.errors import NotFoundError
from membus.tenants.costs import load_price_list
from scripts.cli import main
from scripts.cost.estimate import (
    DAYS,
    CostItem,
    ModelChoice,
    Workload,
    aws_prices,
    estimate,
    messages_per_call,
    without_cache,
    work,
)

MODELS = ModelChoice("claude-haiku-4-5", "claude-sonnet-5-5", "amazon.titan-embed-text-v2:0")
DAY = date(2026, 11, 20)
ALL_READ = Workload(events=1000 / DAYS, turns=0, users=1, read_share=1, turn_tokens=(548, 50))


def parts(load: Workload, *, environment: str = "dev") -> dict[str, CostItem]:
    return {
        each.name: each
        for each in estimate(
            load, MODELS, load_price_list(), sizes=work()["environments"][environment], day=DAY
        )
    }


def busy(**fields: Any) -> Workload:
    """Return a load whose batches are full."""
    defaults: dict[str, Any] = {
        "events": 1_000_000,
        "turns": 0,
        "users": 1,
        "read_share": 1,
        "turn_tokens": (548, 50),
    }
    return Workload(**defaults | fields)


@pytest.mark.parametrize(
    ("events", "users", "shared"),
    [(1_000_000, 1, 10.0), (1_000, 1, 1.0), (1_000_000, 10**9, 1.0), (864_000, 10, 1.54)],
)
def test_messages_of_a_busy_user_share_a_model_call(events: float, users: int, shared: float) -> None:
    assert messages_per_call(busy(events=events, users=users)) == pytest.approx(shared, abs=0.01)


def test_no_events_cost_nothing_but_the_fixed_costs() -> None:
    assert sum(each.dollars for each in parts(busy(events=0)).values() if each.per != "month") == 0


def test_event_that_no_model_reads_costs_no_tokens() -> None:
    assert parts(busy(read_share=0))["model, extract"].dollars == 0


def test_model_without_price_is_refused() -> None:
    with pytest.raises(NotFoundError, match="no price of nobody"):
        estimate(ALL_READ, ModelChoice("nobody", "nobody", "nobody"), load_price_list(), sizes={}, day=DAY)


def test_every_price_has_its_source_and_date() -> None:
    assert date.fromisoformat(aws_prices()["read_on"]) >= DAY
    assert all(
        each["source"].startswith("https://aws.amazon.com/") for each in aws_prices()["prices"].values()
    )
    assert {"dev", "staging", "prod"} == set(work()["environments"])


def test_command_adds_up_and_needs_no_target(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--events-per-day", "1000", "--turns-per-day", "100", "--users", "10", "--size", "dev"]

    assert main(["cost", "estimate", *words, "--json"]) == 0

    *rows, together = json.loads(capsys.readouterr().out)
    total = sum(Decimal(row["dollars_per_month"]) for row in rows)
    assert abs(total - Decimal(together["dollars_per_month"])) < Decimal("0.05")
    assert Decimal(together["per_1000_turns"]) > Decimal(together["per_1000_events"])


@pytest.mark.parametrize("words", [["--users", "many"], ["--read-share", "2"], ["--turn-tokens", "5"]])
def test_invalid_number_is_misuse(words: list[str]) -> None:
    with pytest.raises(SystemExit) as misused:
        main(["cost", "estimate", "--events-per-day", "1", "--turns-per-day", "1", "--users", "1", *words])

    assert misused.value.code == 2


def test_worst_day_writes_every_prompt_and_a_release_those_of_five_minutes() -> None:
    load = busy(turns=28_800, turn_tokens=(1_000, 50))
    price = next(each for each in load_price_list().prices if each.model == MODELS.chat)

    worst, live, release = without_cache(load, MODELS.chat, load_price_list(), day=DAY)

    assert worst == 28_800 * price.cache_write / 1_000
    assert (live, release) == (100, 100 * price.cache_write / 1_000)


def test_file_that_is_no_plan_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plan").write_text("PK binary")
    words = ["--events-per-day", "0", "--turns-per-day", "0", "--users", "1", "--plan"]

    for name, reason in (("plan", "is no plan"), ("absent", "cannot read")):
        with pytest.raises(SystemExit):
            main(["cost", "estimate", *words, str(tmp_path / name)])
        assert reason in capsys.readouterr().err


def test_plan_is_counted_through_all_its_modules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = {"mode": "managed", "type": "aws_kms_key"}
    endpoint = {
        "mode": "managed",
        "type": "aws_vpc_endpoint",
        "values": {"vpc_endpoint_type": "Interface", "tags": {"zones": "3"}},
    }
    modules = {"resources": [key], "child_modules": [{"child_modules": [{"resources": [key, endpoint]}]}]}
    (tmp_path / "plan").write_text(json.dumps({"planned_values": {"root_module": modules}}))
    words = ["--events-per-day", "0", "--turns-per-day", "0", "--users", "1", "--json", "--plan"]

    main(["cost", "estimate", *words, str(tmp_path / "plan")])

    rows = {each["part"]: each["dollars_per_month"] for each in json.loads(capsys.readouterr().out)}
    assert (rows["KMS keys"], rows["interface endpoints"]) == ("2.00", "21.90")
