"""GET …/messages/…/context: the prompt of an old reply, byte for byte, or what is gone of it."""

from datetime import timedelta
from typing import Any

import pytest

from membus.facts.observation import Trust
from membus.llm.prompt import Prompt
from tests.factories import ADA, NOON, a_conversation, an_observation, learn
from tests.support.api_client import ApiTestClient
from tests.support.contexts import a_passage

PATH = "/v1/conversations/c/messages"


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    """Ada's two conversations; she lives in Lisbon, and once she was in Porto."""
    for name in ("c", "d"):
        door.conversations.create_conversation(a_conversation(name), request_key=name)
    learn(door.facts, ADA, an_observation("Lisbon"))
    door.recollection.passages[ADA] = [a_passage("We met in Porto.")]
    return door


def say(door: ApiTestClient, content: str, key: str, *, conversation: str = "c") -> str:
    door.clock.advance(timedelta(minutes=1))
    path = f"/v1/conversations/{conversation}/messages"
    answer = door.post(path, {"content": content, "author": "ada"}, key=key)
    assert answer.status == 200, answer.text
    return str(answer.json["message"]["message_id"])


def shown(door: ApiTestClient, message_id: str) -> Any:
    answer = door.get(f"{PATH}/{message_id}/context")
    assert answer.status == 200, answer.text
    return answer.json


def talked(door: ApiTestClient) -> tuple[str, Prompt]:
    """Say things here and elsewhere, and return the reply in the middle with the prompt that was sent for it."""
    say(door, "I ordered 123-1234567-1234567 yesterday", "k1")
    say(door, "I have to be in Oslo on Friday", "k2", conversation="d")
    reply = say(door, "Where did we meet in Porto?", "k3")
    sent = door.model.prompts[-1]
    say(door, "And what about Oslo?", "k4")
    return reply, sent


def test_an_old_prompt_is_made_again_byte_for_byte(talk: ApiTestClient) -> None:
    reply, sent = talked(talk)
    learn(talk.facts, ADA, an_observation("Oslo", event_id="e9", valid_from=NOON + timedelta(days=9)))

    again = shown(talk, reply)

    assert again["identical"], again["missing"]
    assert again["context"]["prompt"] == sent.model_dump(mode="json")
    made = again["provenance"]
    assert made["facts"] == [{"key": "home.city", "version": 1}]
    assert [each["memory_id"] for each in made["recalled"]] == ["event:ada/e1"]
    assert "order_id" in made["entities"]
    assert [each["conversation_id"] for each in made["fresh"]] == ["d"]
    assert "We met in Porto." not in str(made["recalled"])


def test_what_was_erased_since_is_named(talk: ApiTestClient) -> None:
    reply, _ = talked(talk)
    talk.recollection.passages.clear()

    again = shown(talk, reply)

    assert (again["identical"], again["missing"]) == (False, ["passage of event:ada/e1"])


def test_a_corrected_fact_is_shown_as_it_was(talk: ApiTestClient) -> None:
    reply, sent = talked(talk)
    later = NOON + timedelta(days=1)
    learn(talk.facts, ADA, an_observation(None, event_id="e2", trust=Trust.CORRECTED, valid_from=later))

    assert shown(talk, reply)["context"]["prompt"] == sent.model_dump(mode="json")


def test_only_replies_have_a_prompt_and_only_their_tenant_sees_it(talk: ApiTestClient) -> None:
    reply, _ = talked(talk)
    first = talk.conversations.list_recent_messages("acme", "c", limit=10)[0].message_id

    assert talk.get(f"{PATH}/{first}/context").status == 404
    assert talk.get(f"{PATH}/nothing/context").status == 404
    talk.tenant = "zeta"
    assert talk.get(f"{PATH}/{reply}/context").status == 404


def test_a_search_that_is_away_costs_the_passages_and_says_so(talk: ApiTestClient) -> None:
    talk.recollection.away = True

    context = talk.get("/v1/conversations/c/context", "message=Where%20did%20we%20meet%20in%20Porto%3F").json

    assert (context["degraded"], context["recalled"], context["need"]) == (
        True,
        [],
        {"search": True, "reason": "asks"},
    )
    assert say(talk, "Where did we meet in Porto?", "k1")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Thanks!", "small_talk"),
        ("ok", "small_talk"),
        ("I finally painted the kitchen wall blue.", "statement"),
        ("I went hiking in the hills yesterday. How are your pets?", "follow_up"),
    ],
)
def test_what_needs_no_memory_asks_for_none(talk: ApiTestClient, message: str, reason: str) -> None:
    say(talk, message, "k1")

    assert talk.recollection.asked == []
    message_id = talk.conversations.list_recent_messages("acme", "c", limit=1)[0].message_id
    assert shown(talk, message_id)["provenance"]["need"] == {"search": False, "reason": reason}
