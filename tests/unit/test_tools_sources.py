"""What each tool of chat answers, of whom, and what it refuses."""

from datetime import date, timedelta
from typing import Any

import pytest

from membus.core.errors import InvalidError
from membus.episodes.archive.model import ArchiveQuery
from membus.tenants.settings import MemorySettings
from tests.factories import ADA, NOON, recorded, said
from tests.support.api_client import EVERYDAY, ApiTestClient
from tests.support.tool_calls import BOB, call, result, say, talking


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    return talking(door)


@pytest.mark.parametrize(("author", "found"), [("ada", "Porto"), ("bob", "nothing was found")])
def test_a_search_is_the_authors_own(talk: ApiTestClient, author: str, found: str) -> None:
    say(talk, [call(query="Where did we meet?")], "So.", author=author)

    assert found in result(talk).content


def test_episodes_are_recalled_of_the_author_and_the_conversations_agent_in_time_order(
    talk: ApiTestClient,
) -> None:
    events = [
        said("I went to the market", "e1", agent_id="guide", occurred_at=NOON - timedelta(days=1)),
        said("I live in Oslo", "e2", agent_id="guide", owner=BOB),
        said("Long ago", "e3", agent_id="guide", occurred_at=NOON - timedelta(days=90)),
        said("To another agent", "e4", agent_id="other"),
    ]
    for event in events:
        talk.episodes.record_event(recorded(event), extracted="v1")

    say(talk, [call("recall_episodes")], "So.", key="k1")
    lately = result(talk).content
    say(
        talk,
        [call("recall_episodes", since="2025-12-01", until="2025-12-31")],
        "So.",
        key="k2",
        content="And then?",
    )

    assert lately.splitlines()[1:-1] == [
        "(today is Sunday, 2026-03-01)",
        "- [2026-02-28 12:00, message.sent] I went to the market",
    ]
    assert "Long ago" in result(talk).content


def test_what_the_user_asks_to_keep_is_a_mark_on_the_one_event_that_tells_of_it(talk: ApiTestClient) -> None:
    words = "Remember that my flight is not at nine."
    say(talk, [call("remember", quote="at  NINE")], "Noted.", content=words)

    assert not result(talk).failed
    (turn,) = talk.bus.published
    assert (turn.type, turn.owner, turn.user_text) == ("turn.recorded", ADA, words)
    assert turn.payload["user"] == {"text": words, "asked_to_keep": ["at  NINE"]}


def test_what_the_user_asks_to_forget_is_a_mark_on_the_event(talk: ApiTestClient) -> None:
    talk.put("/v1/users/ada/facts/likes.jazz", {"value": "jazz"})
    talk.bus.published.clear()
    words = "Please drop the jazz thing."
    say(talk, [call("forget", quote="drop the jazz thing")], "Done.", content=words)

    assert not result(talk).failed
    assert "- likes.jazz: jazz" in result(talk).content
    (turn,) = talk.bus.published
    assert turn.payload["user"] == {"text": words, "asked_to_forget": ["drop the jazz thing"]}


@pytest.mark.parametrize("quote", ["forget that I like tea", "my flight is at nine"])
def test_words_of_somebody_else_or_of_before_forget_nothing(talk: ApiTestClient, quote: str) -> None:
    say(talk, "Hm.", content="my flight is at nine", key="k0")
    talk.bus.published.clear()

    say(talk, [call("forget", quote=quote)], "No.", content="Hello there")

    assert result(talk).content.startswith("not_said")
    assert not any("asked_to_forget" in event.payload["user"] for event in talk.bus.published)


@pytest.mark.parametrize("known", ["likes.blues", "dislikes.opera"])
def test_words_that_name_no_known_fact_forget_nothing_and_the_model_is_told(
    talk: ApiTestClient, known: str
) -> None:
    talk.put(f"/v1/users/ada/facts/{known}", {"value": known.partition(".")[2]})
    talk.bus.published.clear()

    say(talk, [call("forget", quote="drop the jazz thing")], "Which?", content="Please drop the jazz thing.")

    assert result(talk).content.startswith("names_nothing: ")
    assert not any("asked_to_forget" in event.payload["user"] for event in talk.bus.published)


def test_nothing_is_said_to_be_noted_before_it_has_been_read(talk: ApiTestClient) -> None:
    say(talk, [call("remember", quote="my flight is at nine")], "Hm.", content="My flight is at nine.")

    assert "not" not in result(talk).content.split("handed over")[0]
    assert "decided when it is read" in result(talk).content


def test_agents_see_what_others_keep_only_where_the_tenant_says_so(talk: ApiTestClient) -> None:
    for number, agent in enumerate(("guide", "default", "other")):
        event = said(f"To {agent}", f"e{number}", agent_id=agent, occurred_at=NOON - timedelta(days=1))
        talk.episodes.record_event(recorded(event), extracted="v1")

    say(talk, [call("recall_episodes")], "So.", key="k1")
    apart = result(talk).content
    talk.settings.change("acme", MemorySettings(memory_scope="user"))
    say(talk, [call("recall_episodes")], "So.", key="k2")

    assert ("To guide" in apart, "To default" in apart, "To other" in apart) == (True, True, False)
    assert "To other" in result(talk).content


def test_what_was_said_earlier_was_told_of_then(talk: ApiTestClient) -> None:
    say(talk, "Oh.", content="My flight is at nine.")
    say(talk, [call("remember", quote="my flight is at nine")], "Noted.", content="Keep that", key="k2")

    assert not result(talk).failed
    assert [event.payload["user"] for event in talk.bus.published] == [
        {"text": "My flight is at nine."},
        {"text": "Keep that"},
    ]


@pytest.mark.parametrize(
    ("quote", "fields", "code"),
    [
        ("I am the administrator", {}, "not_said"),
        ("We met in Porto.", {"content": "Where did we meet in Porto?"}, "not_said"),
        ("my flight is at nine", {"author": "bob", "content": "Hello you"}, "not_said"),
        ("Hello there", {"remember": False}, "not_to_be_remembered"),
        (" ", {}, "not_said"),
    ],
)
def test_what_the_user_did_not_say_or_want_kept_is_not_kept(
    talk: ApiTestClient, quote: str, fields: dict[str, Any], code: str
) -> None:
    say(talk, "Hm.", content="my flight is at nine", key="k0")
    talk.bus.published.clear()

    say(talk, [call("remember", quote=quote)], "No.", **fields)

    assert result(talk).content.startswith(code)
    assert not any("asked_to_keep" in event.payload["user"] for event in talk.bus.published)


@pytest.mark.parametrize("scopes", [EVERYDAY, (*EVERYDAY, "admin")])
def test_sql_is_asked_of_the_authors_events_whatever_the_key_may(
    talk: ApiTestClient, scopes: tuple[str, ...]
) -> None:
    talk.scopes = scopes
    asked = {"sql": "SELECT count(*) AS n FROM episodes", "since": "2026-01-01"}

    say(talk, [call("query_archive", **asked)], "Three.")

    assert result(talk).content == "<result>\nn\n3\n</result>"
    since = date(2026, 1, 1)
    assert talk.archive.asked == [
        ArchiveQuery(tenant="acme", user="ada", visible_to="guide", sql=asked["sql"], since=since, now=NOON)
    ]


def test_sql_that_is_refused_is_told_to_the_model_with_the_reason(talk: ApiTestClient) -> None:
    talk.archive.told = InvalidError("send one SELECT and nothing else", code="sql_rejected")

    assert say(talk, [call("query_archive", sql="DROP TABLE episodes")], "I may not.").status == 200

    assert (result(talk).failed, result(talk).content) == (
        True,
        "sql_rejected: send one SELECT and nothing else",
    )
