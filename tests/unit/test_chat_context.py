"""GET /v1/conversations/…/context: exactly what a message would send, without sending it."""

from typing import Any

import pytest

from functions.chat.context import PROMPT_TOKENS_MAX, SECTION_TOKENS
from tests.factories import ADA, a_conversation, an_observation, learn
from tests.support.api_client import ApiTestClient, ApiTestResponse

PATH = "/v1/conversations/c/context"


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    door.conversations.create_conversation(a_conversation("c", members=("bob",)), request_key="c")
    learn(door.facts, ADA, an_observation("Lisbon"))
    door.post("/v1/conversations/c/messages", {"content": "Hello", "author": "ada"}, key="k0")
    return door


def context(door: ApiTestClient, query: str = "message=Where%20do%20I%20live%3F") -> Any:
    answer: ApiTestResponse = door.get(PATH, query)
    assert answer.status == 200, answer.text
    return answer.json


def test_a_context_is_exactly_what_the_message_sends(talk: ApiTestClient) -> None:
    shown = context(talk)
    talk.post("/v1/conversations/c/messages", {"content": "Where do I live?", "author": "ada"}, key="k1")

    sent = talk.model.prompts[-1]
    assert shown["prompt"] == sent.model_dump(mode="json")


def test_a_context_asks_no_model_and_stores_nothing(talk: ApiTestClient) -> None:
    before = len(talk.model.prompts)
    context(talk)

    assert len(talk.model.prompts) == before
    assert talk.conversations.get_conversation("acme", "c").message_count == 2
    assert len(talk.bus.published) == 1


def test_a_context_says_where_the_tokens_go(talk: ApiTestClient) -> None:
    shown = context(talk)

    sizes = {section["name"]: section["tokens"] for section in shown["sections"]}
    assert list(sizes) == list(SECTION_TOKENS)
    assert all(sizes[name] for name in ("system", "profile", "window", "message"))
    assert sum(sizes.values()) == shown["total_tokens"] <= shown["budget"] == PROMPT_TOKENS_MAX
    assert shown["facts"] == ["- home.city: Lisbon (since 2026-03-01)"]
    assert [message["content"] for message in shown["window"]] == ["Hello", "Good morning."]


def test_a_context_is_the_owners_unless_somebody_else_is_named(talk: ApiTestClient) -> None:
    assert context(talk, "message=hi&author=ada")["facts"] == context(talk, "message=hi")["facts"]
    assert context(talk, "message=hi&author=bob")["facts"] == []


def test_a_context_without_a_message_shows_what_stands_before_it(talk: ApiTestClient) -> None:
    assert context(talk, "")["window"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("message=" + "word%20" * 500, "message_too_long"),
        ("message=" + "x" * 10_001, "invalid"),
        ("author=a%23b", "invalid"),
    ],
)
def test_a_context_of_a_message_that_may_not_be_said_is_refused(
    talk: ApiTestClient, query: str, code: str
) -> None:
    answer = talk.get(PATH, query)

    assert (answer.status, answer.code) == (422, code)


def test_another_tenants_context_is_not_found(talk: ApiTestClient) -> None:
    talk.tenant = "zeta"

    for query in ("message=hi", "message=hi&author=ada"):
        assert (talk.get(PATH, query).status, talk.get(PATH, query).code) == (404, "not_found")
