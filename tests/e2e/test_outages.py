"""Parts of the running stack are taken away.

What still answers, what waits, and that nothing is lost or done twice.

These run after all other tests of the stack, which they would disturb.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.client import Client, codes, eventually, said, somebody
from tests.e2e.parts import REFUSED, away, narrow_bus

pytestmark = [pytest.mark.stack, pytest.mark.outage]


def search(client: Client, query: str, user: str) -> dict[str, Any]:
    answer = client.post("/v1/search", {"query": query, "user_id": user}, key=None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def kinds(found: dict[str, Any], word: str) -> set[str]:
    return {each["kind"] for each in found["results"] if word in each["text"]}


def episodes(client: Client, user: str) -> list[str]:
    answer = client.get("/v1/agents/default/episodes", user_id=user)
    assert answer.status_code == 200, answer.text
    return [each["event_id"] for each in answer.json()["items"]]


def versions(client: Client, user: str, key: str) -> list[str]:
    return [each["value"] for each in client.get(f"/v1/users/{user}/facts/{key}/history").json()["items"]]


def conversation(client: Client, user: str) -> str:
    return (
        f"/v1/conversations/{client.post('/v1/conversations', {'user_id': user}).json()['conversation_id']}"
    )


def test_search_without_postgres_is_degraded_and_the_index_catches_up(acme: Client, stack_file: Path) -> None:
    user = somebody()
    acme.send(said(user, "I live in Oslo."))
    eventually(lambda: search(acme, "Oslo", user)["results"], lambda found: len(found) > 1)

    with away(stack_file, "postgres"):
        acme.send(said(user, "I love chess."))
        facts = eventually(lambda: acme.facts(user), lambda facts: "likes.chess" in facts)
        found = search(acme, "chess", user)

    assert facts == {"home.city": "Oslo", "likes.chess": "chess"}
    assert found["degraded"] is True
    assert any("chess" in each["text"] for each in found["results"])
    whole = eventually(
        lambda: search(acme, "chess", user),
        lambda found: not found["degraded"] and {"fact", "episode"} <= kinds(found, "chess"),
    )
    assert whole["degraded"] is False
    assert sorted(each["kind"] for each in whole["results"] if "chess" in each["text"]) == ["episode", "fact"]


def test_without_a_model_chat_is_refused_and_events_wait_and_take_effect_once(
    acme: Client, stack_file: Path
) -> None:
    user, key = somebody(), uuid4().hex
    troubled = {
        f"{name}-{user}": f"[[fault:{fault}#{user}]]"
        for name, fault in (
            ("busy", "overloaded*2"),
            ("slow", "slow=3*1"),
            ("garbled", "garbage*1"),
            ("limited", "rate_limited*1"),
        )
    }
    talk = conversation(acme, user)
    body = {"content": "Where do I live?", "author": user}

    with away(stack_file, "model"):
        refused = acme.post(f"{talk}/messages", body, key=key)
        (event_id, _) = acme.send(
            said(user, "I live in Rome."),
            {"user_id": user, "type": "setting.changed", "payload": {"name": "units", "to": "metric"}},
        )
        by_rules = eventually(lambda: acme.facts(user), bool)
    acme.send(*(said(name, f"I live in Bath. {fault}") for name, fault in troubled.items()))

    assert (refused.status_code, refused.json()["code"]) == (503, "model_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert by_rules == {"setting.units": "metric"}
    assert eventually(lambda: acme.facts(user), lambda facts: len(facts) > 1)["home.city"] == "Rome"
    for name in troubled:
        assert eventually(partial(acme.facts, name), bool) == {"home.city": "Bath"}
        assert (len(episodes(acme, name)), versions(acme, name, "home.city")) == (1, ["Bath"])
    assert (episodes(acme, user).count(event_id), versions(acme, user, "home.city")) == (1, ["Rome"])
    answered = acme.post(f"{talk}/messages", body, key=key)
    assert (answered.status_code, "Rome" in answered.json()["message"]["content"]) == (200, True)
    assert acme.get(talk).json()["message_count"] == 2


def test_conversation_reads_the_same_without_its_cache(acme: Client, stack_file: Path) -> None:
    user = somebody()
    talk = conversation(acme, user)
    acme.post(f"{talk}/messages", {"content": "Good morning!", "author": user})

    def seen() -> tuple[Any, Any]:
        return acme.get(f"{talk}/messages").json(), acme.get(f"{talk}/context", message="Hello").json()[
            "prompt"
        ]

    before = seen()
    with away(stack_file, "redis"):
        without = seen()
        spoken = acme.post(f"{talk}/messages", {"content": "Good evening!", "author": user})
    after = acme.get(f"{talk}/messages").json()["items"]

    assert without == before
    assert spoken.status_code == 200
    assert [each["content"] for each in after if each["role"] == "user"] == ["Good morning!", "Good evening!"]


def test_throttled_bus_refuses_single_events_and_a_resend_takes_effect_once(
    acme: Client, aws: Callable[[str], Any]
) -> None:
    user = somebody()
    events = [
        said(user, "I live in Quito.", event_id=f"{user}-1"),
        said(user, f"I love tea. {REFUSED}", event_id=f"{user}-2"),
    ]

    with narrow_bus(aws, "membus-local-api") as bus:
        first = acme.post("/v1/events", {"events": events}, key=None)
        nothing = acme.post("/v1/events", {"events": events[1:]}, key=None)
        bus.narrow = False
        again = acme.post("/v1/events", {"events": events}, key=None)

    assert bus.throttled == 1
    assert (first.status_code, codes(first.json()["rejected"])) == (202, {1: "unavailable"})
    assert [each["event_id"] for each in first.json()["accepted"]] == [f"{user}-1"]
    assert (nothing.status_code, nothing.json()["code"]) == (503, "unavailable")
    assert (again.status_code, again.json()["rejected"]) == (202, [])
    facts = eventually(lambda: acme.facts(user), lambda facts: len(facts) > 1)
    assert facts == {"home.city": "Quito", "likes.tea": "tea"}
    assert sorted(episodes(acme, user)) == [f"{user}-1", f"{user}-2"]
    assert versions(acme, user, "home.city") == ["Quito"]
