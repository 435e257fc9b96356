"""/v1/conversations/{id}/handoff: what another agent needs to go on, in one answer and without a model."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from membus.conversations.summary import Chapter, Slot, SummaryCheckpoint, SummaryIndex
from membus.core.identity import Owner
from tests.factories import ADA, NOON, a_conversation, a_turn, an_observation, learn
from tests.support.api_client import ApiTestClient

PATH = "/v1/conversations/c/handoff"
TURNS = 6


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    """Return the door behind which Ada has a conversation with Bob of six turns."""
    door.conversations.create_conversation(
        a_conversation("c", members=("bob",), title="Refund"), request_key=uuid4().hex
    )
    for number in range(TURNS):
        turn = a_turn(number, content=f"Turn {number} about order A-100{number}")
        door.conversations.add_turn("acme", "c", turn, request_key=f"k{number}", title=None)
    door.clock.advance(timedelta(minutes=TURNS))
    return door


def summarise(door: ApiTestClient, until: int) -> None:
    """Sum up everything before turn `until`."""
    last = a_turn(until - 1).assistant.message_id
    intent = Slot(kind="unresolved_intents", text="get a refund", message_id=a_turn(0).user.message_id)
    figure = Slot(kind="numbers_and_dates", text="40 euros", message_id=a_turn(1).user.message_id)
    chapters = tuple(
        Chapter(level=0, first="a", last="b", text=text) for text in ("Ada ordered tea.", "It was cold.")
    )
    outline = SummaryIndex(
        borders=(SummaryCheckpoint(version=1, until=last),), chapters=chapters, slots=(intent, figure)
    )
    door.summaries.save_index("acme", "c", outline, read=SummaryIndex(), summaries=())


def handed(door: ApiTestClient, query: str = "") -> Any:
    answer = door.get(PATH, query)
    assert answer.status == 200, answer.text
    return answer.json


def turns_of(handoff: Any) -> list[str]:
    return [each["content"] for each in handoff["messages"] if each["role"] == "user"]


def test_a_handoff_holds_the_conversation_its_summary_and_what_is_open(talk: ApiTestClient) -> None:
    summarise(talk, until=4)
    learn(talk.facts, ADA, an_observation("Lisbon"))

    handoff = handed(talk, "turns=1")

    assert handoff["conversation"] == talk.get("/v1/conversations/c").json
    assert handoff["summary"] == "Ada ordered tea.\n\nIt was cold."
    assert handoff["summarised_until"] == a_turn(3).assistant.message_id
    assert handoff["open_intents"] == ["get a refund"]
    assert [slot["text"] for slot in handoff["slots"]] == ["get a refund", "40 euros"]
    assert [(fact["key"], fact["value"]) for fact in handoff["facts"]] == [("home.city", "Lisbon")]
    assert handoff["taken_at"] == (NOON + timedelta(minutes=TURNS)).isoformat().replace("+00:00", "Z")


def test_active_entities_of_a_handoff_come_from_the_messages(talk: ApiTestClient) -> None:
    entities = handed(talk)["active_entities"]

    assert "A-1005" in {each["value"] for each in entities}
    talk.clock.advance(timedelta(hours=1))
    assert handed(talk)["active_entities"] == []


@pytest.mark.parametrize(
    ("covered", "turns", "expected"), [(0, 1, 6), (4, 1, 2), (4, 3, 3), (6, 2, 2), (6, 40, 6)]
)
def test_handoff_has_no_gap_between_summary_and_messages(
    talk: ApiTestClient, covered: int, turns: int, expected: int
) -> None:
    if covered:
        summarise(talk, until=covered)

    shown = turns_of(handed(talk, f"turns={turns}"))

    assert shown == [f"Turn {number} about order A-100{number}" for number in range(TURNS - expected, TURNS)]


def test_empty_conversation_can_be_handed_off(door: ApiTestClient) -> None:
    door.conversations.create_conversation(a_conversation("c"), request_key=uuid4().hex)

    handoff = handed(door)

    assert (handoff["summary"], handoff["summarised_until"]) == (None, None)
    assert [handoff[name] for name in ("slots", "open_intents", "active_entities", "facts", "messages")] == [
        []
    ] * 5


def test_handoff_for_a_member_has_their_facts_and_not_the_owners(talk: ApiTestClient) -> None:
    learn(talk.facts, ADA, an_observation("Lisbon"))
    learn(talk.facts, Owner(tenant="acme", user="bob"), an_observation("Porto"))

    cities = [
        [fact["value"] for fact in handed(talk, query)["facts"]]
        for query in ("", "user_id=ada", "user_id=bob")
    ]

    assert cities == [["Lisbon"], ["Lisbon"], ["Porto"]]


def test_handoff_is_refused_to_non_members_and_other_tenants(talk: ApiTestClient) -> None:
    assert talk.get(PATH, "user_id=eve").code == "not_a_member"
    assert [talk.get(PATH, f"turns={turns}").status for turns in ("0", "41", "x")] == [422] * 3
    talk.tenant = "zeta"
    assert talk.get(PATH).code == "not_found"
    talk.tenant = "acme"
    talk.delete("/v1/conversations/c")
    assert talk.get(PATH).code == "not_found"
