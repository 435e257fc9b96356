"""`remember: false` everywhere.

No body, no fact, no vector, no call of a model, nothing outside the items.
"""

from typing import Any

import pytest

from tests.factories import ADA, a_conversation, a_server_error, said
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages
from tests.support.api_client import ApiTestClient
from tests.support.extraction import Extraction, observant

WORDS = "I live in Lisbon and my secret is grey"
EPISODES = "/v1/agents/guide/episodes"
LONG = f"{WORDS}. " * 2_000


def trace(door: ApiTestClient, learning: Extraction) -> str:
    """Return everything that every store, queue and the bus hold, as one text."""
    held = [
        door.episodes.contents,
        [event.model_dump() for event in door.bus.published],
        vars(door.facts),
        vars(door.conversations)["fresh"],
        vars(door.held_facts),
        vars(learning.signals),
        learning.poison_messages.parked,
        learning.dead_letters.parked,
        vars(door.memories),
    ]
    return repr(held)


def learn_from_the_bus(door: ApiTestClient) -> Extraction:
    learning = Extraction(
        observant(),
        episodes=door.episodes,
        facts=door.facts,
        review_queue=door.held_facts,
        unprocessed=InMemoryUnprocessedMessages(door.conversations),
    )
    assert learning.send(*door.bus.published) == []
    return learning


def an_item(text: str) -> dict[str, Any]:
    return {
        "event_id": "e1",
        "user_id": "ada",
        "type": "message.sent",
        "payload": {"text": text},
        "remember": False,
    }


@pytest.mark.parametrize("text", [WORDS, LONG])
@pytest.mark.parametrize("path", ["/v1/events", EPISODES])
def test_an_event_to_be_left_alone_leaves_its_id_and_nothing_else(
    door: ApiTestClient, path: str, text: str
) -> None:
    name = "episodes" if path == EPISODES else "events"
    assert door.post(path, {name: [an_item(text)]}).status in {201, 202}

    learning = learn_from_the_bus(door)

    assert "grey" not in trace(door, learning)
    assert (learning.models_loaded, door.facts.get_profile(ADA).facts) == (0, ())
    assert (ADA, "e1") in door.episodes.extracted


def test_its_words_do_not_even_reach_the_bus_whose_archive_keeps_everything(door: ApiTestClient) -> None:
    door.post("/v1/events", {"events": [an_item(WORDS)]})

    assert [event.payload for event in door.bus.published] == [{}]


def test_a_blank_one_is_refused_like_any_other(door: ApiTestClient) -> None:
    assert door.post("/v1/events", {"events": [an_item(" ")]}).code == "invalid"


def test_what_a_producer_wants_left_alone_is_not_read_either(door: ApiTestClient) -> None:
    learning = Extraction(observant(), episodes=door.episodes, facts=door.facts)

    learning.send(said(WORDS, remember=False), *(a_server_error(f"r{n}", remember=False) for n in range(3)))

    assert "grey" not in trace(door, learning)
    assert (learning.models_loaded, learning.known()) == (0, {})


def test_a_message_in_chat_stays_in_its_conversation(door: ApiTestClient) -> None:
    door.conversations.create_conversation(a_conversation("c"), request_key="c")

    answer = door.post("/v1/conversations/c/messages", {"content": WORDS, "author": "ada", "remember": False})

    assert (answer.status, answer.json["message"]["remember"]) == (200, False)
    assert [
        message.remember for message in door.conversations.list_recent_messages("acme", "c", limit=9)
    ] == [False, False]
    learning = learn_from_the_bus(door)
    assert door.bus.published == []
    assert "grey" not in trace(door, learning)


def test_the_same_message_with_and_without_is_not_the_same_request(door: ApiTestClient) -> None:
    door.conversations.create_conversation(a_conversation("c"), request_key="c")
    body = {"content": WORDS, "author": "ada", "remember": False}
    door.post("/v1/conversations/c/messages", body)

    assert door.post("/v1/conversations/c/messages", body | {"remember": True}).code == "idempotency_mismatch"
