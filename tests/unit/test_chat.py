"""POST /v1/conversations/…/messages: a turn is answered with the profile, stored once and told to the bus."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.chat.context import SECTION_TOKENS
from functions.chat.turn_records import REFUSAL_TEXT
from membus.core.errors import ConflictError, ModelError, UnavailableError
from membus.core.identity import Owner
from membus.llm.prompt import ModelReply, Prompt
from tests.factories import ADA, NOON, a_conversation, an_observation, learn
from tests.fakes.model import ScriptedModel
from tests.support.api_client import ApiTestClient, ApiTestResponse
from tests.support.dates_in_prompts import undated

PATH = "/v1/conversations/c/messages"


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    """Ada's conversation, in which Bob may write too; she lives in Lisbon, he in Oslo."""
    door.conversations.create_conversation(
        a_conversation("c", members=("bob",), agent_id="guide"), request_key="c"
    )
    learn(door.facts, ADA, an_observation("Lisbon"))
    learn(door.facts, Owner(tenant="acme", user="bob"), an_observation("Oslo"))
    return door


def say(
    door: ApiTestClient, content: str = "Where do I live?", *, author: str = "ada", key: str | None = "k1"
) -> ApiTestResponse:
    return door.post(PATH, {"content": content, "author": author}, key=key)


def stored(door: ApiTestClient) -> list[tuple[str, str, str]]:
    messages = door.conversations.list_recent_messages("acme", "c", limit=100)
    return [(message.role, message.author, message.content) for message in messages]


def profile_block(prompt: Prompt) -> str:
    return prompt.system[1].text


def test_an_answer_is_the_models_words_and_what_they_took(talk: ApiTestClient) -> None:
    answer = say(talk)

    assert answer.status == 200
    assert answer.json["message"]["content"] == "Good morning."
    assert (answer.json["message"]["role"], answer.json["message"]["author"]) == ("assistant", "guide")
    assert (answer.json["stop_reason"], answer.json["usage"]["input"]) == ("end_turn", 100)
    context = answer.json["context"]
    assert [section["name"] for section in context["sections"]] == list(SECTION_TOKENS)
    assert (
        sum(section["tokens"] for section in context["sections"])
        == context["total_tokens"]
        <= context["budget"]
    )


@pytest.mark.parametrize(("author", "city"), [("ada", "Lisbon"), ("bob", "Oslo")])
def test_the_model_sees_the_profile_of_whoever_speaks(talk: ApiTestClient, author: str, city: str) -> None:
    say(talk, author=author)

    (prompt,) = talk.model.prompts
    assert profile_block(prompt) == f"<profile>\n- home.city: {city} (since 2026-03-01)\n</profile>"
    assert [(said.role, undated(said.text)) for said in prompt.messages] == [("user", "Where do I live?")]


def test_a_turn_is_stored_and_told_to_the_bus(talk: ApiTestClient) -> None:
    answer = say(talk).json

    assert stored(talk) == [("user", "ada", "Where do I live?"), ("assistant", "guide", "Good morning.")]
    (event,) = talk.bus.published
    user = talk.conversations.list_recent_messages("acme", "c", limit=2)[0]
    assert (event.type, event.origin, event.owner, event.session_id) == ("turn.recorded", "chat", ADA, "c")
    assert (event.event_id, event.occurred_at, event.agent_id) == (f"turn-{user.message_id}", NOON, "guide")
    assert event.user_text == "Where do I live?"
    assert event.payload["assistant"]["text"] == "Good morning."
    assert user.message_id < answer["message"]["message_id"]


def test_the_first_message_names_the_conversation(talk: ApiTestClient) -> None:
    say(talk, "Plan my trip", key="k1")
    say(talk, "And then?", key="k2")

    assert talk.conversations.get_conversation("acme", "c").title == "Plan my trip"


def test_the_next_turn_remembers_the_last_one(talk: ApiTestClient) -> None:
    say(talk, "one", key="k1")
    talk.clock.advance(timedelta(minutes=1))
    say(talk, "two", key="k2")

    texts = [(said.role, undated(said.text)) for said in talk.model.prompts[1].messages]
    assert texts == [("user", "one"), ("assistant", "Good morning."), ("user", "two")]
    assert talk.model.prompts[1].system == talk.model.prompts[0].system


def test_a_repeated_request_gets_the_same_turn_for_one_call_of_the_model(talk: ApiTestClient) -> None:
    first = say(talk)
    talk.clock.advance(timedelta(minutes=5))

    assert say(talk).json == first.json
    assert len(talk.model.prompts) == 1
    assert len(stored(talk)) == 2
    assert len({event.event_id for event in talk.bus.published}) == 1


@pytest.mark.parametrize("fields", [{"content": "Something else"}, {"author": "bob"}])
def test_a_key_used_for_another_message_is_refused(talk: ApiTestClient, fields: dict[str, str]) -> None:
    say(talk)

    answer = say(talk, **fields)

    assert (answer.status, answer.code) == (422, "idempotency_mismatch")
    assert (len(talk.model.prompts), len(stored(talk)), len(talk.bus.published)) == (1, 2, 1)


def test_a_key_is_the_conversations_own(talk: ApiTestClient) -> None:
    talk.conversations.create_conversation(a_conversation("d"), request_key=uuid4().hex)
    say(talk)

    other = talk.post(
        "/v1/conversations/d/messages", {"content": "Where do I live?", "author": "ada"}, key="k1"
    )

    assert other.status == 200
    assert len(talk.model.prompts) == 2


def test_a_refusal_is_an_answer_with_safe_words(talk: ApiTestClient) -> None:
    talk.model = ScriptedModel("", stop_reason="refusal")

    answer = say(talk)

    assert (answer.status, answer.json["stop_reason"]) == (200, "refusal")
    assert answer.json["message"]["content"] == REFUSAL_TEXT
    assert stored(talk)[1][2] == REFUSAL_TEXT


def test_a_refused_turn_stands_in_no_later_prompt_and_in_its_history(talk: ApiTestClient) -> None:
    talk.model = ScriptedModel("Sure, first", stop_reason="refusal")
    say(talk, "something bad", key="k1")
    talk.model = ScriptedModel("Hello.")

    say(talk, "And now?", key="k2")

    (prompt,) = talk.model.prompts
    assert [(said.role, undated(said.text)) for said in prompt.messages] == [("user", "And now?")]
    kept = talk.conversations.list_recent_messages("acme", "c", limit=4)
    assert [each.status for each in kept] == ["refused", "refused", "complete", "complete"]


def test_a_prompt_says_when_it_is_and_on_which_day_each_message_was_said(talk: ApiTestClient) -> None:
    say(talk, "See you tomorrow at nine.", key="k1")
    talk.clock.advance(timedelta(days=1))
    talk.model = ScriptedModel("Hello.")

    say(talk, "And now?", key="k2")

    (prompt,) = talk.model.prompts
    assert prompt.messages[0].text.startswith("<said_on>\nSunday, 2026-03-01\n</said_on>\n\nSee you")
    assert "<now>\nMonday, 2026-03-02 12:00 UTC\n</now>" in prompt.messages[-1].text


def test_a_turn_the_bus_did_not_take_is_told_again_by_the_next_try(talk: ApiTestClient) -> None:
    talk.bus.refusing = {"*": "InternalFailure"}
    refused = say(talk)
    talk.bus.refusing = {}

    again = say(talk)

    assert (refused.status, refused.code) == (503, "unavailable")
    assert refused.headers["retry-after"]
    assert again.status == 200
    assert len(talk.model.prompts) == 1
    assert len(stored(talk)) == 2
    assert [event.user_text for event in talk.bus.published] == ["Where do I live?"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"author": "eve"}, 403, "not_a_member"),
        ({"author": "a#b"}, 422, "invalid"),
        ({"content": ""}, 422, "invalid"),
        ({"content": " \n\t"}, 422, "invalid"),
        ({"content": "\u200b\u2060\ufeff"}, 422, "invalid"),
        ({"content": "\x00\x01"}, 422, "invalid"),
        ({"content": "word " * 500}, 422, "message_too_long"),
        ({"content": "x" * 100_001}, 413, "payload_too_large"),
        ({"content": "\n" * 60_000 + "x"}, 422, "message_too_long"),
        ({"key": None}, 400, "idempotency_key_missing"),
        ({"key": ""}, 422, "invalid"),
        ({"key": "x" * 256}, 422, "invalid"),
    ],
)
def test_a_message_that_may_not_be_said_has_no_effect(
    talk: ApiTestClient, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = say(talk, **fields)

    assert (answer.status, answer.code) == (status, code)
    assert (talk.model.prompts, stored(talk), talk.bus.published) == ([], [], [])


@pytest.mark.parametrize(
    "body",
    [{}, {"content": "hi"}, {"content": "hi", "author": "ada", "x": 1}, {"content": ["hi"], "author": "ada"}],
)
def test_a_message_of_another_shape_is_refused(talk: ApiTestClient, body: dict[str, Any]) -> None:
    assert talk.post(PATH, body).status == 422
    assert talk.model.prompts == []


def test_a_conversation_that_is_not_there_or_not_theirs_is_not_found(talk: ApiTestClient) -> None:
    nowhere = talk.post("/v1/conversations/nowhere/messages", {"content": "hi", "author": "ada"})
    talk.tenant = "zeta"
    stranger = say(talk)

    assert {(each.status, each.code) for each in (nowhere, stranger)} == {(404, "not_found")}
    assert talk.model.prompts == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (UnavailableError("down", code="model_unavailable"), "model_unavailable"),
        (ModelError("cut", reason="cut_off"), "model_unusable"),
    ],
)
def test_a_model_that_is_down_leaves_nothing_and_may_be_asked_again(
    talk: ApiTestClient, fault: UnavailableError, code: str
) -> None:
    talk.model = ScriptedModel(fault, "Lisbon.")
    failed = say(talk)

    assert (failed.status, failed.code) == (503, code)
    assert failed.headers["retry-after"]
    assert (stored(talk), talk.bus.published) == ([], [])
    assert say(talk).json["message"]["content"] == "Lisbon."


def test_the_same_request_answered_elsewhere_meanwhile_is_a_conflict(
    talk: ApiTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise ConflictError("lost a race")

    monkeypatch.setattr(talk.conversations, "add_turn", lost)

    answer = say(talk)

    assert (answer.status, answer.code) == (409, "in_progress")
    assert talk.bus.published == []


def test_everything_is_read_in_two_waves_before_the_model_is_asked(
    talk: ApiTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    waves = {
        threading.Barrier(4, timeout=5): {
            "find_turn": talk.conversations,
            "get_conversation": talk.conversations,
            "get_profile": talk.facts,
            "list_newest": talk.fresh,
        },
        threading.Barrier(3, timeout=5): {
            "search": talk.recollection,
            "list_recent_messages": talk.conversations,
            "get_index": talk.summaries,
        },
    }
    calls: list[str] = []

    def meet(name: str, owner: Any, together: threading.Barrier) -> None:
        read = getattr(owner, name)

        def meeting(*args: Any, **fields: Any) -> Any:
            calls.append(name)
            together.wait()
            return read(*args, **fields)

        monkeypatch.setattr(owner, name, meeting)

    for together, wave in waves.items():
        for name, owner in wave.items():
            meet(name, owner, together)
    before: list[int] = []
    talk.model = ScriptedModel(lambda _: before.append(len(calls)) or "Lisbon.")  # type: ignore[func-returns-value]
    monkeypatch.setattr(talk.conversations, "add_turn", lambda *_, **__: None)

    assert say(talk).status == 200

    assert before == [7]
    assert sorted(calls) == sorted(name for wave in waves.values() for name in wave)


def test_the_model_has_only_the_time_that_request_and_invocation_leave(talk: ApiTestClient) -> None:
    allowed: list[float] = []

    class Timed(ScriptedModel):
        def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
            allowed.append(timeout_seconds)
            return super().generate_reply(prompt, max_tokens=max_tokens, timeout_seconds=timeout_seconds)

    talk.model = Timed("Lisbon.")
    for number, seconds in enumerate((120, 20)):
        talk.seconds_left = seconds
        assert say(talk, key=f"k{number}").status == 200
    talk.seconds_left = 5
    for number, seconds in enumerate((120, 10)):
        talk.work_seconds = seconds
        assert say(talk, key=f"late-{number}").status == 202

    assert allowed == pytest.approx([24, 17, 117, 7], abs=1)
