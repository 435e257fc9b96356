"""The Messages API of the local model, through the real client."""

from typing import Any

import httpx2
import pytest
from anthropic import Anthropic, BadRequestError, transform_schema
from pydantic import BaseModel

MODEL = "any-model"
PROFILE = """<profile>
- home.city: Lisbon (since 2026-03-01)
- likes.jazz: jazz (since 2026-03-02)
- pet.rex-dog: Rex (dog) (since 2026-03-02)
</profile>"""
SEARCH: Any = {
    "name": "search_memory",
    "description": "Searches what is known.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
}


class Title(BaseModel):
    title: str
    active_entities: list[str]
    messages: int


def ask(client: Anthropic, text: str, **options: Any) -> Any:
    said = [{"role": "user", "content": text}]
    return client.messages.create(**{"model": MODEL, "max_tokens": 200, "messages": said, **options})


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where do I live?", "You live in Lisbon."),
        ("What kind of music do I like?", "You like jazz."),
        ("Do I have a dog?", "You have a pet: Rex (dog)."),
        ("<recalled>\n- I play jazz with my dog\n</recalled>\n\nWhere do I live?", "You live in Lisbon."),
        ("What do you know about me?", "You live in Lisbon, you like jazz and you have a pet: Rex (dog)."),
        ("How tall is the Eiffel Tower?", "I do not know that yet. Tell me, and I will remember it."),
    ],
)
def test_a_reply_uses_the_lines_of_the_profile_that_fit_the_question(
    anthropic: Anthropic, question: str, answer: str
) -> None:
    message = ask(anthropic, question, system=[{"type": "text", "text": PROFILE}])

    assert [block.text for block in message.content] == [answer]
    assert (message.stop_reason, message.model, message.role) == ("end_turn", MODEL, "assistant")


def test_a_reply_quotes_an_earlier_sentence(anthropic: Anthropic) -> None:
    turns = [
        {"role": "user", "content": "The blue suitcase is in the attic."},
        {"role": "assistant", "content": "Noted."},
        {"role": "user", "content": "Where did I put the blue suitcase?"},
    ]

    assert "in the attic" in ask(anthropic, "", messages=turns).content[0].text


def test_a_stream_has_the_events_of_the_real_api_in_their_order(anthropic: Anthropic) -> None:
    with anthropic.messages.create(
        model=MODEL, max_tokens=100, stream=True, messages=[{"role": "user", "content": "Hello there?"}]
    ) as raw:
        types = [event.type for event in raw]  # the client itself drops pings

    assert types[:2] == ["message_start", "content_block_start"]
    assert set(types[2:-3]) == {"content_block_delta"}
    assert types[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_a_streamed_message_equals_the_whole_one(anthropic: Anthropic) -> None:
    whole = ask(anthropic, "Hello there?")
    with anthropic.messages.stream(
        model=MODEL, max_tokens=200, messages=[{"role": "user", "content": "Hello there?"}]
    ) as stream:
        streamed = stream.get_final_message()

    assert streamed.content[0].type == "text"
    assert streamed.content[0].text == whole.content[0].text
    assert (streamed.stop_reason, streamed.usage.output_tokens) == ("end_turn", whole.usage.output_tokens)


def test_any_schema_is_filled_with_the_words_of_the_message(anthropic: Anthropic) -> None:
    text = "Please plan the trip. Later Maria and Jonas fly to Porto with 3 bags."
    parsed = anthropic.messages.parse(
        model=MODEL, max_tokens=200, messages=[{"role": "user", "content": text}], output_format=Title
    ).parsed_output

    assert parsed == Title(
        title="Please plan the trip. Later Maria", active_entities=["Maria", "Jonas", "Porto"], messages=3
    )


def test_counted_tokens_equal_those_of_the_usage(anthropic: Anthropic) -> None:
    prompt: Any = {
        "model": MODEL,
        "system": [{"type": "text", "text": PROFILE}],
        "tools": [SEARCH],
        "messages": [{"role": "user", "content": "Where do I live?"}],
        "output_config": {"format": {"type": "json_schema", "schema": transform_schema(Title)}},
    }

    counted = anthropic.messages.count_tokens(**prompt).input_tokens

    assert counted == anthropic.messages.create(max_tokens=100, **prompt).usage.input_tokens
    assert (
        counted > anthropic.messages.count_tokens(model=MODEL, messages=prompt["messages"]).input_tokens == 5
    )


def test_a_message_that_asks_to_search_memory_calls_the_search_tool(anthropic: Anthropic) -> None:
    asked: list[Any] = [{"role": "user", "content": "Search your memory for my favourite tea"}]
    call = anthropic.messages.create(model=MODEL, max_tokens=200, tools=[SEARCH], messages=asked)
    used = call.content[0]
    assert used.type == "tool_use"
    assert (call.stop_reason, used.name, used.input) == (
        "tool_use",
        "search_memory",
        {"query": "my favourite tea"},
    )

    found = {"type": "tool_result", "tool_use_id": used.id, "content": "oolong, said in May"}
    turns: Any = [*asked, call.to_param(), {"role": "user", "content": [found]}]
    final = ask(anthropic, "", messages=turns, tools=[SEARCH])

    assert (final.stop_reason, final.content[0].text) == (
        "end_turn",
        "Here is what I found: oolong, said in May",
    )


def test_a_tool_call_streams_its_input(anthropic: Anthropic) -> None:
    with anthropic.messages.stream(
        model=MODEL,
        max_tokens=200,
        tools=[SEARCH],
        tool_choice={"type": "any"},
        messages=[{"role": "user", "content": "my favourite tea"}],
    ) as stream:
        used = stream.get_final_message().content[0]

    assert used.type == "tool_use"
    assert used.input == {"query": "my favourite tea"}


def test_max_tokens_and_stop_sequences_end_an_answer_early(anthropic: Anthropic) -> None:
    short = ask(anthropic, "Hello there?", max_tokens=3)
    stopped = ask(anthropic, "Hello there?", stop_sequences=["yet"])

    assert (short.content[0].text, short.stop_reason, short.usage.output_tokens) == (
        "I do not",
        "max_tokens",
        3,
    )
    assert (stopped.content[0].text, stopped.stop_reason) == ("I do not know that ", "stop_sequence")
    assert stopped.stop_sequence == "yet"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"max_tokens": None}, "max_tokens: "),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, 'first message must use the "user" role'),
        ({"messages": [{"role": "system", "content": "Hi"}]}, 'Unexpected role "system"'),
        ({"messages": [{"role": "user", "content": ""}]}, "text content blocks must be non-empty"),
        ({"model": ""}, "model: "),
        ({"extra_body": {"temperature": 2}}, "temperature: "),
        ({"extra_body": {"unknown": 1}}, "unknown: Extra inputs are not permitted"),
        (
            {"tools": [{"name": "two words", "input_schema": {}}]},
            "tools.0: name: String should match pattern",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "y"}]}
                ]
            },
            "unexpected `tool_use_id` found in `tool_result` blocks: x",
        ),
    ],
)
def test_a_wrong_request_is_refused_as_the_real_api_refuses_it(
    anthropic: Anthropic, wrong: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        ask(anthropic, "Hi", **wrong)

    body: Any = refused.value.body
    assert complaint in body["error"]["message"]
    assert (body["type"], body["error"]["type"]) == ("error", "invalid_request_error")
    assert body["request_id"] == refused.value.request_id


def test_a_request_without_a_key_is_refused(model_url: str) -> None:
    refused = httpx2.post(f"{model_url}/v1/messages", json={}, headers={"anthropic-version": "2023-06-01"})

    assert refused.status_code == 401
    assert refused.json()["error"] == {
        "type": "authentication_error",
        "message": "x-api-key header is required",
    }
