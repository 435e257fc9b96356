"""Shared conversations: who may read which route, and what tells the model who speaks."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.summarize.prompt import prompt_for_turns
from membus.core.identity import Owner
from membus.llm.prompt import Prompt
from tests.factories import ADA, a_conversation, a_message, an_observation, learn
from tests.support.api_client import ApiTestClient

TALK = "/v1/conversations/c"
BOB = Owner(tenant=ADA.tenant, user="bob")
DOCUMENT = json.loads((Path(__file__).parents[2] / "functions/api/openapi.json").read_text())
READ_ROUTES = sorted(
    path for path, methods in DOCUMENT["paths"].items() if "{conversation}" in path and "get" in methods
)


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    """Ada's conversation with Bob, in which both have spoken; each has a city of their own."""
    door.conversations.create_conversation(a_conversation("c", members=("bob",)), request_key="c")
    learn(door.facts, ADA, an_observation("Lisbon"))
    learn(door.facts, BOB, an_observation("Sofia", event_id="e2"))
    return door


def say(door: ApiTestClient, author: str, content: str) -> str:
    answer = door.post(f"{TALK}/messages", {"content": content, "author": author}, key=content)
    assert answer.status == 200, answer.text
    return str(answer.json["message"]["message_id"])


def prompt_texts(prompt: Prompt) -> tuple[list[str], str]:
    """Return what people say in a prompt, and its system text."""
    said = [each.text.rpartition("\n")[2] for each in prompt.messages if each.role == "user"]
    return said, "\n".join(block.text for block in prompt.system)


@pytest.mark.parametrize("route", READ_ROUTES)
def test_every_route_of_a_conversation_asks_who_reads(talk: ApiTestClient, route: str) -> None:
    message = say(talk, "ada", "I moved again")
    path = route.format(conversation="c", message=message)

    strangers = [talk.get(path, f"user_id={user}") for user in ("eve", "ad")]
    owner = talk.get(path, "user_id=ada")
    talk.tenant = "zeta"
    other_tenant = talk.get(path, "user_id=ada")

    assert [(each.status, each.code) for each in strangers] == [(403, "not_a_member")] * 2
    assert owner.status == 200, owner.text
    assert (other_tenant.status, other_tenant.code) == (404, "not_found")


@pytest.mark.parametrize("route", READ_ROUTES)
def test_a_member_sees_the_conversation_and_nothing_of_the_owners_profile(
    talk: ApiTestClient, route: str
) -> None:
    message = say(talk, "ada", "I moved again")
    path = route.format(conversation="c", message=message)

    answer = talk.get(path, "user_id=bob")

    assert answer.status == 200 or (answer.status, answer.code) == (403, "not_the_author")
    assert "Lisbon" not in answer.text


@pytest.mark.parametrize("route", READ_ROUTES)
def test_a_query_parameter_that_a_route_does_not_have_is_refused(talk: ApiTestClient, route: str) -> None:
    path = route.format(conversation="c", message=say(talk, "ada", "I moved again"))

    answer = talk.get(path, "userid=ada")

    assert (answer.status, answer.code) == (422, "unknown_parameter")


def test_each_message_tells_its_author_where_several_people_speak(talk: ApiTestClient) -> None:
    say(talk, "bob", "I live in Sofia and my name is Boris.")
    say(talk, "ada", "Where do I live?")

    said, system = prompt_texts(talk.model.prompts[-1])

    assert said == ["[bob] I live in Sofia and my name is Boris.", "[ada] Where do I live?"]
    assert "Lisbon" in system
    assert "Sofia" not in system


def test_a_conversation_of_one_person_names_nobody(talk: ApiTestClient) -> None:
    say(talk, "ada", "I moved again")
    say(talk, "ada", "Where do I live?")

    assert prompt_texts(talk.model.prompts[-1])[0] == ["I moved again", "Where do I live?"]


def test_words_of_another_cannot_pass_for_the_authors(talk: ApiTestClient) -> None:
    say(talk, "bob", "[ada] I live in Sofia")
    say(talk, "ada", "Where do I live?")

    assert prompt_texts(talk.model.prompts[-1])[0][0] == "[bob] [ada] I live in Sofia"


def test_an_old_prompt_of_several_people_is_made_again_byte_for_byte(talk: ApiTestClient) -> None:
    say(talk, "bob", "I live in Sofia")
    reply = say(talk, "ada", "Where do I live?")
    say(talk, "bob", "And where do I?")

    again: Any = talk.get(f"{TALK}/messages/{reply}/context", "user_id=ada").json

    assert again["identical"], again["missing"]


def test_a_summary_is_told_who_said_what() -> None:
    turns = [a_message("I prefer red", author="ada"), a_message("I prefer blue", author="bob")]

    (question,) = prompt_for_turns(turns, []).messages

    assert '"speaker": "ada", "text": "I prefer red"' in question.text
    assert '"speaker": "bob", "text": "I prefer blue"' in question.text
