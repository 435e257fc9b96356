"""Models as the container composes them, over HTTP: which one answers, bills and metrics."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from membus.container import Container
from membus.container.llm import LlmParts
from membus.core.errors import BudgetError
from membus.llm.ports import LanguageModel
from membus.tenants.model import Tenant
from tests.factories import NOON, a_prompt
from tests.fakes.tenants import InMemoryTenants
from tests.fakes.usage import InMemoryUsageLedger

Make = Callable[[], LanguageModel]


class KeyedModels(LlmParts):
    """Models whose key is no secret."""

    def get_api_key(self) -> str:
        return "key"


@pytest.fixture
def ledger() -> InMemoryUsageLedger:
    return InMemoryUsageLedger()


@pytest.fixture
def tenants() -> InMemoryTenants:
    return InMemoryTenants(Tenant("acme", "Acme", NOON))


@pytest.fixture
def make(
    monkeypatch: pytest.MonkeyPatch, model_url: str, ledger: InMemoryUsageLedger, tenants: InMemoryTenants
) -> Make:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", model_url)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "membus")
    monkeypatch.setattr("time.sleep", lambda _: None)
    settings = {
        "MODEL_PROVIDER": "anthropic",
        "CHAT_MODEL_ID": "claude-sonnet-5-5",
        "CHAT_FALLBACK_MODEL_ID": "claude-haiku-5-5",
        "POWERTOOLS_SERVICE_NAME": "chat",
    }
    container = Container(settings)
    container.llm = KeyedModels(container)
    container.tenants.store, container.tenants.usage = tenants, ledger
    return lambda: container.llm.get_model("chat", "acme")


def metrics(written: str) -> list[dict[str, Any]]:
    return [line for text in written.splitlines() if "_aws" in (line := json.loads(text))]


def test_a_call_is_billed_to_its_tenant_and_its_tokens_are_metrics(
    make: Make, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = make().generate_reply(a_prompt("Hello there?"), max_tokens=100, timeout_seconds=10)

    (call,) = ledger.calls.values()
    assert (call.tenant_id, call.function, call.model) == ("acme", "chat", "claude-sonnet-5-5")
    assert call.dollars == Decimal(2 * call.usage.input + 10 * call.usage.output) / 1_000_000
    assert reply.usage.dollars == float(call.dollars)
    (metric,) = metrics(capsys.readouterr().out)
    assert metric["model"] == "claude-sonnet-5-5"
    assert metric["TokensFresh"] == [call.usage.input]
    assert (metric["TokensCacheRead"], metric["TokensOut"]) == ([0.0], [call.usage.output])
    assert "acme" not in json.dumps(metric["_aws"])


def test_a_fallback_answers_for_an_overloaded_model_and_is_billed(
    make: Make, ledger: InMemoryUsageLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make()

    reply = model.generate_reply(
        a_prompt("Hello there? [[fault:overloaded*3#chain]]"), max_tokens=100, timeout_seconds=10
    )

    assert (model.name, reply.model) == ("claude-sonnet-5-5", "claude-haiku-5-5")
    assert [call.model for call in ledger.calls.values()] == ["claude-haiku-5-5"]
    assert [metric["model"] for metric in metrics(capsys.readouterr().out) if "ModelFallbacks" in metric] == [
        "claude-sonnet-5-5"
    ]


def test_a_spent_budget_asks_neither_model(
    make: Make, ledger: InMemoryUsageLedger, tenants: InMemoryTenants
) -> None:
    tenants.set_budget("acme", Decimal(0))

    with pytest.raises(BudgetError):
        list(make().stream_reply(a_prompt("Hello there?"), max_tokens=100, timeout_seconds=10))

    assert ledger.calls == {}
