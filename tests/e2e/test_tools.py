"""Tools through the deployed stack.

The model calls, chat's own role answers, and the reply says what was asked.
"""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.client import Client, eventually, now, said, somebody
from tests.e2e.conftest import NewKey
from tests.e2e.test_archive import ARCHIVE
from tests.e2e.test_chat import conversation
from tests.e2e.test_episodes import append

pytestmark = pytest.mark.stack


def ask(client: Client, user: str, content: str) -> dict[str, Any]:
    """Return the reply to a message in a conversation of its own."""
    talk = conversation(client, user)
    answer = client.post(f"/v1/conversations/{talk}/messages", {"content": content, "author": user})
    assert answer.status_code == 200, answer.text
    message: dict[str, Any] = answer.json()["message"]
    return message | {"conversation_id": talk}


def called(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of the one tool that was called, and its result."""
    (step,) = message["steps"]
    return step["calls"][0]["name"], step["results"][0]


def test_tool_searches_earlier_messages(acme: Client) -> None:
    user = somebody()
    acme.send(said(user, "My spare key lies under the blue flower pot."))

    message = eventually(
        lambda: ask(acme, user, "What did I say about my spare key earlier?"),
        lambda message: "flower pot" in called(message)[1]["content"],
    )

    name, result = called(message)
    assert (name, result["failed"]) == ("search_memory", False)
    assert "blue flower pot" in message["content"]
    stranger = somebody()
    assert (
        "flower pot"
        not in called(ask(acme, stranger, "What did I say about my spare key earlier?"))[1]["content"]
    )


def test_tool_lists_events_in_time_order(acme: Client) -> None:
    user = somebody()
    acme.send(said(user, "First I went to the market.", occurred_at=(now() - timedelta(days=2)).isoformat()))
    acme.send(said(user, "Then I went home.", occurred_at=(now() - timedelta(days=1)).isoformat()))

    message = eventually(
        lambda: ask(acme, user, "What happened lately?"),
        lambda message: "home" in called(message)[1]["content"],
    )

    name, result = called(message)
    assert name == "recall_episodes"
    assert result["content"].index("market") < result["content"].index("home")


def test_tool_stores_what_the_user_asks_to_remember(acme: Client) -> None:
    user = somebody()

    name, result = called(ask(acme, user, "Remember that I live in Lisbon."))

    assert (name, result["failed"]) == ("remember", False)
    assert eventually(lambda: acme.facts(user), bool)["home.city"] == "Lisbon"


def test_what_the_user_asks_to_forget_ends(acme: Client) -> None:
    user = somebody()
    acme.send(said(user, "I like jazz."))
    eventually(lambda: acme.facts(user), lambda facts: "likes.jazz" in facts)

    name, result = called(ask(acme, user, "Forget that I like jazz."))

    assert (name, result["failed"]) == ("forget", False)
    assert eventually(lambda: acme.facts(user), lambda facts: "likes.jazz" not in facts) == {}


def test_archive_query_shows_each_user_their_own_events(
    new_key: NewKey, stack: Any, aws: Callable[[str], Any]
) -> None:
    tenant, ada, bob = somebody("tenant"), somebody("ada"), somebody("bob")
    with (
        closing(Client(stack.api_url, new_key(tenant))) as mine,
        closing(Client(stack.api_url, new_key(tenant, scopes=("chat", "admin", "memory:write")))) as operator,
    ):
        long_ago = now() - timedelta(days=9)
        for user, many in ((ada, 3), (bob, 2)):
            append(
                mine,
                "default",
                *(said(user, "tea", occurred_at=long_ago.isoformat()) for _ in range(many)),
            )
        archived = json.loads(
            aws("lambda").invoke(FunctionName=ARCHIVE, Payload=json.dumps({}))["Payload"].read()
        )
        assert archived["problems"] == []
        count = "sql: SELECT count(*) AS n, min(payload->>'text') AS what FROM episodes"

        assert called(ask(mine, ada, count))[1]["content"] == "<result>\nn | what\n3 | tea\n</result>"
        assert called(ask(mine, bob, count))[1]["content"] == "<result>\nn | what\n2 | tea\n</result>"
        assert called(ask(operator, ada, count))[1]["content"] == "<result>\nn | what\n3 | tea\n</result>"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT content FROM read_text('/proc/self/environ')", "sql_rejected"),
        ("SELECT getenv('AWS_SECRET_ACCESS_KEY')", "sql_rejected"),
        ("SELECT 1; DROP TABLE episodes", "sql_rejected"),
        ("SELECT nosuch FROM episodes", "sql_failed"),
    ],
)
def test_rejected_sql_is_returned_to_the_model_and_the_turn_continues(
    acme: Client, sql: str, code: str
) -> None:
    message = ask(acme, somebody(), f"sql: {sql}")

    name, result = called(message)
    assert (name, result["failed"], result["content"].split(":")[0]) == ("query_archive", True, code)
    assert message["content"] == "I could not look that up just now."


def test_prompt_of_a_turn_with_tools_is_made_again(acme: Client) -> None:
    message = ask(acme, somebody(), "What happened lately?")
    path = f"/v1/conversations/{message['conversation_id']}/messages/{message['message_id']}"

    again = acme.get(f"{path}/context").json()
    (whole,) = acme.get(f"{path}/results").json()["items"]

    assert again["identical"]
    assert [tool["name"] for tool in again["context"]["prompt"]["tools"]] == [
        "forget",
        "query_archive",
        "recall_episodes",
        "remember",
        "search_memory",
    ]
    assert whole["call"]["name"] == "recall_episodes"
