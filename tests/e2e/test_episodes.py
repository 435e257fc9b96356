"""Episodes through the public door.

Readable at once, learned from, in time order across days, two tenants.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from localstack.home import Stack
from tests.e2e.client import Client, codes, eventually, now, said, somebody

pytestmark = pytest.mark.stack
LARGE = "I live in Lisbon. " + "The sea is close. " * 4_000


def path_of(agent: str) -> str:
    return f"/v1/agents/{agent}/episodes"


def append(client: Client, agent: str, *episodes: dict[str, Any]) -> list[str]:
    answer = client.post(path_of(agent), {"episodes": list(episodes)}, key=None)
    assert answer.status_code == 201, answer.text
    assert answer.json()["rejected"] == []
    return [each["event_id"] for each in answer.json()["accepted"]]


def pages(client: Client, agent: str, **query: str) -> list[list[str]]:
    """Return the ids of every page."""
    read: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(path_of(agent), **query, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        read.append([item["event_id"] for item in answer.json()["items"]])
        cursor = answer.json()["next_cursor"]
    return read


def ids(client: Client, agent: str, **query: str) -> list[str]:
    return [event_id for page in pages(client, agent, **query) for event_id in page]


def test_episode_is_readable_at_once_and_extracted_later(acme: Client) -> None:
    user, agent = somebody(), somebody("agent")
    (event_id,) = append(acme, agent, said(user, "I live in Lisbon.", session_id="s1"))

    (item,) = acme.get(path_of(agent)).json()["items"]
    assert (item["event_id"], item["session_id"], item["tier"]) == (event_id, "s1", "hot")
    assert item["payload"] == {"text": "I live in Lisbon."}
    assert eventually(lambda: acme.facts(user), bool) == {"home.city": "Lisbon"}
    fact = acme.get(f"/v1/users/{user}/facts/home.city").json()
    assert fact["provenance"]["event_id"] == event_id
    assert ids(acme, agent) == [event_id]


def test_events_become_episodes_of_their_agent(acme: Client) -> None:
    user, agent = somebody(), somebody("agent")
    sent = acme.send(*(said(user, f"I like tea number {number}.", agent_id=agent) for number in range(3)))

    assert eventually(lambda: ids(acme, agent), lambda found: len(found) == 3) == sent
    assert ids(acme, agent, user_id=user) == sent


@pytest.mark.parametrize("limit", ["1", "3", "200"])
def test_episodes_come_in_time_order_across_days(acme: Client, limit: str) -> None:
    user, agent, noon = somebody(), somebody("agent"), now().replace(hour=12)
    moments = [noon - timedelta(days=day, hours=hour) for day in (0, 1, 2, 9, 20) for hour in (24, 36, 12)]
    moments = sorted(set(moments), key=lambda moment: moment.isoformat()[::-1])
    sent = append(acme, agent, *(said(user, "hello", occurred_at=moment.isoformat()) for moment in moments))

    in_order = [event_id for _, event_id in sorted(zip(moments, sent, strict=True))]
    assert ids(acme, agent, limit=limit) == in_order
    assert ids(acme, agent, limit=limit, user_id=user) == in_order
    assert all(len(page) <= int(limit) for page in pages(acme, agent, limit=limit))


def test_episodes_are_limited_by_range_session_and_user(acme: Client) -> None:
    agent, start = somebody("agent"), now() - timedelta(days=400)
    users = [somebody(), somebody()]
    sent = append(
        acme,
        agent,
        *(
            said(users[number // 3], "hello", session_id=f"s{number % 2}", occurred_at=moment.isoformat())
            for number, moment in enumerate(start + timedelta(hours=9 * number) for number in range(6))
        ),
    )
    whole = {"from": start.isoformat(), "to": (start + timedelta(days=3)).isoformat()}

    assert ids(acme, agent) == []
    assert ids(acme, agent, **whole) == sent
    assert ids(acme, agent, **whole, session_id="s1") == sent[1::2]
    assert ids(acme, agent, **whole, user_id=users[0]) == sent[:3]
    assert ids(acme, agent, **whole, user_id=users[1], session_id="s0", limit="1") == sent[4:5]
    assert ids(acme, agent, **whole | {"to": (start + timedelta(hours=18)).isoformat()}) == sent[:2]
    assert ids(acme, agent, **{"from": (start - timedelta(days=200)).isoformat()}) == sent


def test_large_payload_is_in_s3_and_extracted(acme: Client, stack: Stack, aws: Callable[[str], Any]) -> None:
    user, agent = somebody(), somebody("agent")
    acme.send(said(user, LARGE, agent_id=agent))
    append(acme, agent, said(user, LARGE + "!", occurred_at=now().isoformat()))

    items = eventually(lambda: acme.get(path_of(agent)).json()["items"], lambda items: len(items) == 2)

    assert {item["payload"]["text"] for item in items} == {LARGE, LARGE + "!"}
    assert eventually(lambda: acme.facts(user), bool)["home.city"] == "Lisbon"
    listed = aws("s3").list_objects_v2(Bucket=stack.bucket, Prefix="spill/episodes/")["Contents"]
    assert len(listed) >= 2


def test_tenants_and_agents_with_overlapping_names_share_no_episode(acme: Client, zeta: Client) -> None:
    user, agent = somebody(), somebody("agent")
    one = said(user, "mine", event_id="the-same-id", occurred_at=now().isoformat())
    mine = append(acme, agent, one)
    append(acme, f"{agent}1", said(user, "another agent's"))
    append(zeta, agent, one | {"payload": {"text": "theirs"}})

    assert ids(acme, agent) == ids(acme, agent, user_id=user) == mine
    assert acme.get(path_of(agent)).json()["items"][0]["payload"] == {"text": "mine"}
    assert zeta.get(path_of(agent)).json()["items"][0]["payload"] == {"text": "theirs"}


def test_bad_episodes_are_reported_one_by_one(acme: Client) -> None:
    agent = somebody("agent")
    bad = [
        said("no#body", "x"),
        said("ada", " "),
        said("ada", "x" * 201_000),
        said("ada", "x", agent_id="other"),
    ]

    answer = acme.post(path_of(agent), {"episodes": [said("ada", "good"), *bad]}, key=None)

    assert answer.status_code == 201
    expected = {1: "invalid", 2: "invalid", 3: "payload_too_large", 4: "invalid"}
    assert codes(answer.json()["rejected"]) == expected
    assert len(ids(acme, agent)) == 1


def test_cursor_is_valid_for_one_tenant_and_one_query(acme: Client, zeta: Client) -> None:
    agent = somebody("agent")
    append(acme, agent, *(said("ada", f"hello {number}") for number in range(3)))
    cursor = acme.get(path_of(agent), limit="1").json()["next_cursor"]
    assert acme.get(path_of(agent), limit="2", cursor=cursor).status_code == 200

    attempts = [
        acme.get(path_of(agent), cursor=cursor[:-1] + ("A" if cursor[-1] != "A" else "B")),
        acme.get(path_of(agent), cursor=cursor, session_id="s1"),
        acme.get(path_of(agent), cursor=cursor, user_id="ada"),
        acme.get(path_of(f"{agent}1"), cursor=cursor),
        zeta.get(path_of(agent), cursor=cursor),
    ]

    assert [(each.status_code, each.json()["code"]) for each in attempts] == [(400, "bad_cursor")] * 5
