"""The port LanguageModel: the real Anthropic client over a scripted wire."""

import httpx2
import pytest
from anthropic import AnthropicBedrock

from membus.core.errors import ModelError
from membus.core.tokens import TokenUsage
from membus.llm.clients import StructuredModel
from membus.llm.prompt import ModelReply
from tests.support.language_models import City, ScriptedWire, answer, message, model_with_retries, reply

BROKEN = httpx2.Response(200, text='{"content": [', headers={"content-type": "application/json"})


def test_prompt_is_sent_in_the_form_of_the_provider(model: StructuredModel, wire: ScriptedWire) -> None:
    wire.answers = [message()]

    reply(model)

    assert wire.bodies == [
        {
            "model": "claude-test",
            "max_tokens": 100,
            "system": [
                {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "- likes.tea: tea"},
            ],
            "messages": [{"role": "user", "content": "What do I like?"}],
        }
    ]
    assert str(wire.requests[0].url).endswith("/v1/messages")


def test_reply_has_its_text_and_its_token_usage(model: StructuredModel, wire: ScriptedWire) -> None:
    wire.answers = [message("Tea.", cache_read_input_tokens=7, cache_creation_input_tokens=5)]

    assert reply(model) == ModelReply(
        text="Tea.",
        stop_reason="end_turn",
        model="claude-test-1",
        usage=TokenUsage(input=10, output=3, cache_read=7, cache_write=5),
    )


def test_structured_answer_is_requested_by_its_schema(model: StructuredModel, wire: ScriptedWire) -> None:
    wire.answers = [message('{"city": "Porto", "people": 3}')]

    assert answer(model) == City(city="Porto", people=3)
    wanted = wire.bodies[0]["output_config"]["format"]
    assert wanted["type"] == "json_schema"
    assert wanted["schema"]["required"] == ["city", "people"]
    assert wanted["schema"]["additionalProperties"] is False


@pytest.mark.parametrize(
    "cut",
    [
        message(stop=None),
        message(""),
        httpx2.Response(200, text="<html>hi</html>"),
        httpx2.Response(200, json={}),
        BROKEN,
    ],
)
def test_answer_outside_its_schema_is_unusable(
    model: StructuredModel, wire: ScriptedWire, cut: httpx2.Response
) -> None:
    wire.answers = [cut]

    with pytest.raises(ModelError):
        reply(model)


def test_a_refusal_is_a_reply(model: StructuredModel, wire: ScriptedWire) -> None:
    wire.answers = [message("", "refusal")]

    assert (reply(model).text, reply(model).stop_reason) == ("", "refusal")


def test_a_reply_at_its_limit_is_a_reply(model: StructuredModel, wire: ScriptedWire) -> None:
    wire.answers = [message("So far", "max_tokens")]

    assert reply(model).stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("stop", "reason"),
    [("refusal", "refused"), ("max_tokens", "max_tokens"), (None, "cut_off"), ("tool_use", "cut_off")],
)
def test_unfinished_structured_answer_is_unusable(
    model: StructuredModel, wire: ScriptedWire, stop: str | None, reason: str
) -> None:
    wire.answers = [message('{"city": "Porto", "people": 3}', stop)]

    with pytest.raises(ModelError) as unusable:
        answer(model)

    assert unusable.value.reason == reason
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "garbage", ["Sure! Here it is", '{"city": 5}', "", '{"city": "Porto", "people": 3} ok?']
)
def test_invalid_answer_is_repaired_once(model: StructuredModel, wire: ScriptedWire, garbage: str) -> None:
    wire.answers = [message(garbage), message('{"city": "Porto", "people": 3}')]

    assert answer(model) == City(city="Porto", people=3)
    first, second = wire.bodies
    assert second["messages"][:1] == first["messages"]
    assert [said["role"] for said in second["messages"]] == ["user", "assistant", "user"]
    assert second["messages"][1]["content"]
    assert (second["output_config"], second["system"]) == (first["output_config"], first["system"])


def test_answer_invalid_twice_is_unusable(model: StructuredModel, wire: ScriptedWire) -> None:
    wire.answers = [message("garbage")]

    with pytest.raises(ModelError) as unusable:
        answer(model)

    assert unusable.value.reason == "malformed"
    assert len(wire.requests) == 2


def test_bedrock_gets_the_same_request(wire: ScriptedWire) -> None:
    wire.answers = [message("Tea.")]
    http = httpx2.Client(transport=httpx2.MockTransport(wire.serve))
    client = AnthropicBedrock(
        aws_access_key="a", aws_secret_key="s", aws_region="us-east-1", http_client=http
    )

    assert reply(model_with_retries(client, "anthropic.claude-test")).text == "Tea."
    (body,) = wire.bodies
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert str(wire.requests[0].url).endswith("/model/anthropic.claude-test/invoke")
