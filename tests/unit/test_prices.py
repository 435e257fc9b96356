"""membus.tenants.costs: what tokens cost, on which day, and what nobody knows."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from localstack.home import REPOSITORY
from membus.core.tokens import TokenUsage
from membus.tenants.costs import PRICE_LIST_PATH, load_price_list

TODAY = date(2026, 11, 20)
A_MILLION_EACH = TokenUsage(input=1_000_000, output=1_000_000, cache_read=1_000_000, cache_write=1_000_000)
OWN = '[{"model": "%s", "since": "%s", "input": 3, "output": 4, "cache_read": 1, "cache_write": 2, "source": "ours"}]'


def test_each_kind_of_token_has_its_own_price() -> None:
    assert load_price_list().cost_dollars("claude-sonnet-5-5", A_MILLION_EACH, day=TODAY) == Decimal("14.60")


def test_a_single_token_is_not_rounded_away() -> None:
    assert load_price_list().cost_dollars(
        "claude-haiku-5-5", TokenUsage(input=0, output=0, cache_read=1), day=TODAY
    ) == Decimal("0.00000001")


def test_a_price_counts_from_its_day_on() -> None:
    read = TokenUsage(input=0, output=0, cache_read=1_000_000)

    assert load_price_list().cost_dollars("claude-sonnet-5-5", read, day=date(2026, 10, 6)) == Decimal("0.20")
    assert load_price_list().cost_dollars("claude-sonnet-5-5", read, day=date(2026, 10, 7)) == Decimal("0.10")
    assert load_price_list().cost_dollars("claude-sonnet-5-5", read, day=date(2026, 9, 1)) is None


def test_a_long_prompt_is_priced_by_its_length_cached_parts_included() -> None:
    short, long = (
        TokenUsage(input=60_000, output=1_000, cache_read=40_000),
        TokenUsage(input=60_000, output=0, cache_read=40_001),
    )

    assert load_price_list().cost_dollars("claude-haiku-5-5", short, day=TODAY) == Decimal("0.0069")
    assert load_price_list().cost_dollars("claude-haiku-5-5", long, day=TODAY) == Decimal("0.03200005")


@pytest.mark.parametrize(
    "model", ["claude-haiku-9", "claude-haiku-5-5-preview", "anthropic.claude-haiku-5-5", ""]
)
def test_an_unknown_model_has_no_price_rather_than_none_at_all(model: str) -> None:
    assert load_price_list().cost_dollars(model, A_MILLION_EACH, day=TODAY) is None


def test_a_deployment_prices_what_the_list_does_not_know_and_corrects_it() -> None:
    for model in ("anthropic.claude-haiku-5-5", "claude-sonnet-5-5"):
        assert (
            load_price_list(OWN % (model, "2026-10-07")).cost_dollars(model, A_MILLION_EACH, day=TODAY) == 10
        )


@pytest.mark.parametrize("broken", ["{}", "[{}]", OWN % ("", "2026-10-07"), OWN % ("m", "yesterday")])
def test_a_price_that_is_none_is_refused_at_once(broken: str) -> None:
    with pytest.raises(ValidationError):
        load_price_list(broken)


def test_every_price_names_a_source_that_says_where_and_when_it_was_read() -> None:
    listed = json.loads(PRICE_LIST_PATH.read_text(encoding="utf-8"))

    assert {price["source"] for price in listed["prices"]} == set(listed["sources"])
    for source in listed["sources"].values():
        assert source["url"].startswith("https://")
        assert date.fromisoformat(source["read_on"]) <= TODAY


def test_every_model_that_an_environment_configures_has_a_price() -> None:
    models = {price.model for price in load_price_list().prices}
    for environment in (REPOSITORY / "terraform" / "environments").glob("*/main.tf"):
        for name in configured(environment):
            assert name in models, f"{environment.parent.name}: {name}"


def configured(environment: Path) -> list[str]:
    lines = [line.split("=") for line in environment.read_text(encoding="utf-8").splitlines()]
    return [
        value.strip(' "')
        for key, *rest in lines
        for value in rest
        if key.strip().endswith(("extract_id", "chat_id"))
    ]
