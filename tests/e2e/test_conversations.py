"""Conversations through the public door: changed, shared, handed on, deleted, by several devices at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import Stack
from tests.e2e.client import Client, eventually, said, somebody

pytestmark = pytest.mark.stack


def start(client: Client, user: str, **members: Any) -> str:
    answer = client.post("/v1/conversations", {"user_id": user, **members})
    assert answer.status_code == 201, answer.text
    return f"/v1/conversations/{answer.json()['conversation_id']}"


def say(client: Client, talk: str, user: str, content: str = "Good morning!") -> Any:
    answer = client.post(f"{talk}/messages", {"content": content, "author": user})
    assert answer.status_code == 200, answer.text
    return answer.json()["message"]


def change(client: Client, talk: str, **named: Any) -> Any:
    return client.http.patch(talk, json=named)


def listed(client: Client, **query: str) -> list[str]:
    items = client.get("/v1/conversations", **query).json()["items"]
    return [f"/v1/conversations/{each['conversation_id']}" for each in items]


def test_conversation_is_titled_renamed_archived_and_reactivated(acme: Client) -> None:
    user = somebody()
    talk = start(acme, user)
    say(acme, talk, user, "Where could I go for dinner?")
    assert acme.get(talk).json()["title"] == "Where could I go for dinner?"

    renamed = change(acme, talk, title="Dinner", expected_version=1)
    late = change(acme, talk, title="Supper", expected_version=1)
    archived = change(acme, talk, status="archived")

    assert (renamed.status_code, renamed.json()["version"]) == (200, 2)
    assert (late.status_code, late.json()["code"], late.json()["current_version"]) == (409, "conflict", 2)
    assert (archived.json()["title"], archived.json()["message_count"]) == ("Dinner", 2)
    assert eventually(lambda: listed(acme, user_id=user, status="archived"), bool) == [talk]
    assert listed(acme, user_id=user) == []
    change(acme, talk, status="active")
    assert eventually(lambda: listed(acme, user_id=user), bool) == [talk]


def test_only_members_read_write_and_list_a_conversation(acme: Client, zeta: Client) -> None:
    ada, bob, eve = somebody("ada"), somebody("bob"), somebody("eve")
    talk = start(acme, ada)
    change(acme, talk, members=[bob])

    reply = say(acme, talk, bob)

    assert eventually(lambda: listed(acme, user_id=bob), bool) == [talk]
    assert listed(acme, user_id=eve) == listed(zeta, user_id=bob) == []
    authors = [each["author"] for each in acme.get(f"{talk}/messages", user_id=bob).json()["items"]]
    assert authors == [bob, "default"]
    place = f"/messages/{reply['message_id']}"
    refused = [
        *(acme.get(talk + end, user_id=eve) for end in ("", "/messages", place, "/handoff")),
        acme.get(f"{talk}/context", author=eve),
        acme.http.delete(talk, params={"user_id": eve}),
    ]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [(403, "not_a_member")] * 6
    assert acme.http.delete(talk, params={"user_id": bob}).json()["code"] == "not_the_owner"
    assert acme.get(f"{talk}/messages/{reply['message_id']}", user_id=bob).json() == reply
    assert reply["status"] == "complete"


def test_concurrent_devices_lose_no_message_and_no_change(acme: Client) -> None:
    user = somebody()
    talk = start(acme, user)

    def device(number: int) -> tuple[str, int]:
        if number % 2:
            return say(acme, talk, user, f"Message {number}")["content"], 0
        return "", change(acme, talk, title=f"Title {number}").json()["version"]

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(device, range(8)))

    after = acme.get(talk).json()
    messages = acme.get(f"{talk}/messages").json()["items"]
    assert sorted(version for _, version in done if version) == [2, 3, 4, 5]
    assert (after["version"], after["message_count"], len(messages)) == (5, 8, 8)
    ids = [each["message_id"] for each in messages]
    assert ids == sorted(set(ids))
    assert {each["content"] for each in messages if each["role"] == "user"} == {
        f"Message {n}" for n in (1, 3, 5, 7)
    }


def test_messages_are_paged_from_either_end(acme: Client, zeta: Client) -> None:
    user = somebody()
    talk = start(acme, user)
    for number in range(2):
        say(acme, talk, user, f"Message {number}")
    pages = [acme.get(f"{talk}/messages", order="newest", limit="3").json()]
    pages.append(
        acme.get(f"{talk}/messages", order="newest", limit="3", cursor=pages[0]["next_cursor"]).json()
    )

    newest = [each["message_id"] for page in pages for each in page["items"]]
    oldest = [each["message_id"] for each in acme.get(f"{talk}/messages").json()["items"]]

    assert newest == oldest[::-1]
    for client, query in ((acme, {"order": "oldest"}), (acme, {}), (zeta, {"order": "newest"})):
        answer = client.get(f"{talk}/messages", cursor=pages[0]["next_cursor"], **query)
        assert answer.json()["code"] == "bad_cursor"


def test_handoff_has_facts_entities_and_the_last_messages(acme: Client) -> None:
    user = somebody()
    acme.send(said(user, "I live in Lisbon."))
    eventually(lambda: acme.facts(user), bool)
    talk = start(acme, user, title="Refund")
    say(acme, talk, user, "My order is ABC-12345.")

    handoff = acme.get(f"{talk}/handoff").json()

    assert handoff["conversation"]["title"] == "Refund"
    assert {fact["key"]: fact["value"] for fact in handoff["facts"]}["home.city"] == "Lisbon"
    assert next(each["content"] for each in handoff["messages"]) == "My order is ABC-12345."
    assert "ABC-12345" in {each["value"] for each in handoff["active_entities"]}
    assert handoff["summary"] is None


def test_deleted_conversation_is_gone_at_once_and_its_items_soon(
    acme: Client, zeta: Client, stack: Stack, aws: Callable[[str], Any]
) -> None:
    user = somebody()
    talk, kept = start(acme, user, members=["bob"]), start(acme, user)
    message = say(acme, talk, user)["message_id"]
    say(acme, kept, user)
    tenant = acme.get(talk).json()["tenant_id"]
    assert zeta.http.delete(talk).status_code == 404

    assert acme.http.delete(talk).status_code == 204

    assert listed(acme, user_id=user) == [kept]
    assert talk not in listed(acme)
    for path in ("", "/messages", f"/messages/{message}", "/handoff", "/context"):
        assert acme.get(talk + path).status_code == 404
    assert change(acme, talk, title="Back").status_code == 404
    answer = acme.post(f"{talk}/messages", {"content": "hello", "author": user})
    assert answer.status_code == 404
    assert acme.http.delete(talk).status_code == 204

    def left(conversation: str) -> set[str]:
        pk = {"S": f"T#{tenant}#C#{conversation.rsplit('/', 1)[-1]}"}
        found = aws("dynamodb").query(
            TableName=stack.tables.conversations,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": pk},
            ConsistentRead=True,
        )
        return {item["sk"]["S"].split("#")[0] for item in found["Items"]}

    assert eventually(lambda: left(talk), lambda kinds: kinds == {"META"}) == {"META"}
    assert left(kept) == {"META", "MEMBER", "MSG", "PENDING", "PROMPT", "TURN"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b'{"title": ', (400, "invalid_json"), id="1-not-json"),
        pytest.param(b'{"title": "a", "title": "b"}', (400, "invalid_json"), id="2-duplicate-keys"),
        pytest.param(b'{"title": "\\ud800"}', (400, "invalid_json"), id="5-lone-surrogate"),
        pytest.param(b'{"title": "' + b"x" * 4_100_000 + b'"}', (413, "payload_too_large"), id="3-too-large"),
        pytest.param('{"title": " \u200b\u0001"}'.encode(), (400, "invalid_json"), id="4-control-character"),
        pytest.param('{"title": " \u200b"}'.encode(), (422, "invalid"), id="4-invisible"),
        pytest.param(b'{"members": ["a#b"]}', (422, "invalid"), id="7-forged-key"),
        pytest.param(b"{}", (422, "invalid"), id="nothing-to-change"),
        pytest.param(b'{"title": "x", "tenant_id": "zeta"}', (422, "invalid"), id="9-tenant-in-the-body"),
    ],
)
def test_malformed_change_is_rejected(acme: Client, body: bytes, expected: tuple[int, str]) -> None:
    talk = start(acme, somebody(), title="Trip")

    answer = acme.http.patch(talk, content=body)

    assert (answer.status_code, answer.json()["code"]) == expected
    assert (acme.get(talk).json()["title"], acme.get(talk).json()["version"]) == ("Trip", 1)


def test_missing_conversation_is_not_changed_deleted_or_created(acme: Client) -> None:
    talk = f"/v1/conversations/{uuid4().hex}"

    assert (change(acme, talk, title="Phantom").status_code, acme.http.delete(talk).status_code) == (404, 404)
    assert acme.get(talk).status_code == 404
