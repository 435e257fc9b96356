"""Facts set and taken back by hand through the public doors: at once, by version, once, and for good."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from localstack.home import Stack
from membus.aws.dynamodb.keys import event_pk
from membus.core.identity import Owner
from tests.e2e.client import Client, eventually, now, said, somebody

pytestmark = pytest.mark.stack


def path(user: str, key: str = "home.city") -> str:
    return f"/v1/users/{user}/facts/{quote(key)}"


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(call) for call in calls]]


def items_of(aws: Callable[[str], Any], stack: Stack, user: str) -> int:
    """Return how many items the table holds for a user of the demo tenant."""
    pk = {"S": f"T#{stack.tenant_id}#U#{user}"}
    query = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": pk},
        "Select": "COUNT",
    }
    return int(aws("dynamodb").query(TableName=stack.tables.memory, **query)["Count"])


def test_fact_is_put_changed_and_deleted_by_its_etag(acme: Client) -> None:
    user = somebody()
    created = acme.http.put(path(user), json={"value": "Porto", "expected_version": 0})
    assert (created.status_code, created.headers["etag"]) == (200, '"1"')
    assert acme.http.get(path(user), headers={"If-None-Match": '"1"'}).status_code == 304
    assert acme.facts(user) == {"home.city": "Porto"}

    moved = acme.http.put(path(user), json={"value": "Faro"}, headers={"If-Match": '"1"'})
    stale = acme.http.put(path(user), json={"value": "Rome"}, headers={"If-Match": '"1"'})
    profile = acme.get(f"/v1/users/{user}/profile")
    same = acme.http.get(f"/v1/users/{user}/profile", headers={"If-None-Match": profile.headers["etag"]})
    gone = acme.http.delete(path(user), headers={"If-Match": moved.headers["etag"]})

    assert (stale.status_code, stale.json()["code"], stale.json()["current_version"]) == (409, "conflict", 2)
    assert stale.headers["retry-after"]
    assert (same.status_code, same.content) == (304, b"")
    assert (gone.status_code, gone.content) == (204, b"")
    assert acme.get(path(user)).status_code == 404
    assert acme.http.delete(path(user)).status_code == 404
    assert [each["value"] for each in acme.get(f"{path(user)}/history").json()["items"]] == [
        "Porto",
        "Faro",
        None,
    ]


@pytest.mark.parametrize("key", ["likes.café", "likes.日本", "name", "a-b_c.d"])
def test_fact_key_in_any_script_is_one_key(acme: Client, key: str) -> None:
    user = somebody()

    assert acme.http.put(path(user, key), json={"value": "x"}).status_code == 200

    assert acme.facts(user) == {key: "x"}
    assert acme.get(path(user, key)).json()["key"] == key


def test_batch_reports_the_result_of_each_fact(acme: Client) -> None:
    user, key = somebody(), uuid4().hex
    facts = [{"key": f"likes.n{number}", "value": "x"} for number in range(60)]
    batch = {"facts": [*facts, {"key": "Home", "value": "x"}, facts[0], {"key": "name", "value": ""}]}

    first = acme.post(f"/v1/users/{user}/facts:batch", batch, key=key)
    again = acme.post(f"/v1/users/{user}/facts:batch", batch, key=key)
    other = acme.post(f"/v1/users/{user}/facts:batch", {"facts": facts}, key=key)

    assert first.status_code == 200, first.text
    told = first.json()["results"]
    assert [each.get("version", each.get("code")) for each in told] == [1] * 60 + [
        "invalid",
        "duplicate_key",
        "invalid",
    ]
    assert len(acme.facts(user)) == 60
    assert (again.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert acme.post(f"/v1/users/{user}/facts:batch", batch, key=None).status_code == 400


def test_concurrent_writers_of_one_user_all_succeed(acme: Client) -> None:
    user = somebody()

    def put(number: int) -> int:
        return acme.http.put(path(user, f"likes.n{number}"), json={"value": "x"}).status_code

    assert at_once([partial(put, number) for number in range(8)]) == [200] * 8
    assert len(acme.facts(user)) == 8


def test_one_of_many_creators_of_a_fact_wins(acme: Client) -> None:
    user = somebody()

    def put(number: int) -> tuple[int, int]:
        answer = acme.http.put(path(user), json={"value": f"city {number}", "expected_version": 0})
        return answer.status_code, answer.json().get("current_version", answer.json().get("version"))

    answers = at_once([partial(put, number) for number in range(6)])

    assert sorted(answers) == [(200, 1), *[(409, 1)] * 5]


def test_concurrent_copies_of_a_request_take_effect_once(acme: Client) -> None:
    user, key = somebody(), uuid4().hex
    batch = {"facts": [{"key": "home.city", "value": "Porto"}]}

    answers = at_once([lambda: acme.post(f"/v1/users/{user}/facts:batch", batch, key=key) for _ in range(4)])

    refused = [each for each in answers if each.status_code == 409]
    assert {each.status_code for each in answers} <= {200, 409}
    assert len(refused) < 4
    assert all(each.json()["code"] == "in_progress" and each.headers["retry-after"] for each in refused)
    assert len(acme.get(f"{path(user)}/history").json()["items"]) == 1


def test_pinned_correction_stays_whatever_is_said_later(acme: Client) -> None:
    user = somebody()
    acme.http.put(path(user), json={"value": "Porto", "pinned": True})
    acme.http.put(path(user, "likes.tea"), json={"value": "tea"})
    acme.http.delete(path(user, "likes.tea"))

    acme.send(
        said(user, "I live in Lisbon."),
        said(user, "I love tea.", occurred_at="2026-03-01T12:00:00Z"),
        said(user, "I love chess."),
    )

    facts = eventually(lambda: acme.facts(user), lambda facts: "likes.chess" in facts)
    history = eventually(
        lambda: acme.get(f"{path(user)}/history").json()["items"], lambda items: len(items) > 1
    )
    assert facts == {"home.city": "Porto", "likes.chess": "chess"}
    assert {each["value"]: each["current"] for each in history} == {"Porto": True, "Lisbon": False}


def test_correction_on_the_bus_changes_nothing_again(stack: Stack, aws: Callable[[str], Any]) -> None:
    user, demo = somebody(), Client(stack.api_url, stack.api_key)
    event_id = demo.http.put(path(user), json={"value": "Porto"}).json()["provenance"]["event_id"]
    table = aws("dynamodb")
    owner = Owner(tenant=stack.tenant_id, user=user)
    identity = {"pk": {"S": event_pk(owner, event_id)}, "sk": {"S": "EVENT"}}
    lies = table.get_item(TableName=stack.tables.memory, Key=identity)["Item"]
    where = {"pk": lies["episode_pk"], "sk": lies["episode_sk"]}
    kept = json.loads(table.get_item(TableName=stack.tables.memory, Key=where)["Item"]["body"]["S"])
    before = demo.get(f"{path(user)}/history").json()

    detail = json.dumps(kept["event"])
    entry = {
        "Source": "rebuild",
        "DetailType": "fact.corrected",
        "Detail": detail,
        "EventBusName": stack.bus_name,
    }
    aws("events").put_events(Entries=[entry])
    demo.send(said(user, "I love chess."))
    eventually(lambda: demo.facts(user), lambda facts: "likes.chess" in facts)

    assert demo.get(f"{path(user)}/history").json() == before
    demo.close()


def test_retracting_a_missing_fact_stores_nothing(stack: Stack, aws: Callable[[str], Any]) -> None:
    user, demo = somebody(), Client(stack.api_url, stack.api_key)

    assert demo.http.delete(path(user)).status_code == 404
    assert demo.http.put(path(user), json={"value": "x", "expected_version": 4}).status_code == 409

    assert items_of(aws, stack, user) == 0
    demo.close()


def test_correction_is_refused_as_an_event_and_for_another_tenant(acme: Client, zeta: Client) -> None:
    user = somebody()
    acme.http.put(path(user), json={"value": "Porto"})
    forged = {
        "user_id": user,
        "type": "fact.retracted",
        "payload": {"key": "home.city"},
        "occurred_at": now().isoformat(),
    }

    answer = acme.post("/v1/events", {"events": [forged]})

    assert (answer.status_code, answer.json()["code"]) == (422, "reserved_type")
    assert zeta.http.delete(path(user)).status_code == 404
    assert acme.facts(user) == {"home.city": "Porto"}
