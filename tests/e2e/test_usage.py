"""The bill and the budget on the deployed stack.

What models cost is written down, and no money stops them at once.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import Stack
from membus.tenants.api_keys import ApiScope
from scripts.cli import main
from tests.e2e.client import Client, eventually, said, somebody

pytestmark = pytest.mark.stack


@pytest.fixture
def tenant() -> str:
    return f"payer-{uuid4().hex[:8]}"


@pytest.fixture
def client(stack: Stack, new_key: Callable[..., str], tenant: str) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(tenant, scopes=tuple(ApiScope)))
    yield client
    client.close()


@pytest.fixture
def operate(stack_file: Path) -> Callable[..., None]:
    def run(*words: str) -> None:
        assert main([*words, "--stack", str(stack_file)]) == 0

    return run


def usage(client: Client) -> dict[str, Any]:
    answer = client.get("/v1/usage")
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def functions(report: dict[str, Any]) -> set[str]:
    return {item["function"] for item in report["items"]}


def ask(client: Client, user: str) -> Any:
    talk = client.post("/v1/conversations", {"user_id": user}).json()["conversation_id"]
    return client.post(f"/v1/conversations/{talk}/messages", {"content": "Where do I live?", "author": user})


def test_usage_counts_every_function_that_calls_a_model(
    client: Client, tenant: str, operate: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    user = somebody()
    client.send(said(user, "I live in Lisbon."))
    eventually(lambda: client.facts(user), bool)
    answer = ask(client, user).json()
    client.post("/v1/search", {"query": "home city", "user_id": user}, key=None)

    report = eventually(
        lambda: usage(client), lambda found: functions(found) >= {"extract", "chat", "index", "api"}
    )

    assert functions(report) == {"extract", "chat", "index", "api"}
    assert all(item["dollars"] > 0 and item["calls"] > 0 and item["input"] > 0 for item in report["items"])
    assert report["total"]["unpriced_calls"] == 0
    assert report["events"] >= 1
    chat = next(item for item in report["items"] if item["function"] == "chat")
    assert chat["output"] == answer["usage"]["output"]
    assert chat["dollars"] == pytest.approx(answer["usage"]["dollars"])

    operate("usage", "--tenant", tenant, "--json")
    bill = json.loads(capsys.readouterr().out)
    assert bill["total"]["calls"] == sum(item["calls"] for item in bill["items"])
    assert bill["total"]["dollars_per_1000_events"] > 0


def test_spent_budget_leaves_rules_and_lexical_search(
    client: Client, tenant: str, operate: Callable[..., None]
) -> None:
    user = somebody()
    operate("tenant", "budget", tenant, "--dollars-per-day", "0")

    client.send(
        said(user, "I live in Lisbon."),
        {"user_id": user, "type": "setting.changed", "payload": {"name": "theme", "to": "dark"}},
    )
    known = eventually(lambda: client.facts(user), bool)
    refused = ask(client, user)
    found = client.post("/v1/search", {"query": "Lisbon", "user_id": user}, key=None).json()

    assert known == {"setting.theme": "dark"}
    assert (refused.status_code, refused.json()["code"]) == (402, "budget_exhausted")
    assert int(refused.headers["retry-after"]) > 0
    assert found["degraded"] is True
    assert usage(client)["items"] == []
    assert usage(client)["budget"] == {"dollars_per_day": 0, "spent_today": 0, "exhausted": True}

    operate("tenant", "budget", tenant, "--unlimited")
    assert ask(client, user).status_code == 200
