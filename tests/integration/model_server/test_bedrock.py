"""Bedrock in the model server: the Messages API and Titan embeddings, through the real clients."""

import json
from typing import Any

import pytest
from anthropic import AnthropicBedrock, APIStatusError, BadRequestError, InternalServerError, RateLimitError
from botocore.exceptions import ClientError

TITAN = "amazon.titan-embed-text-v2:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"


def said(text: str) -> Any:
    return {"model": PROFILE, "max_tokens": 100, "messages": [{"role": "user", "content": text}]}


def embed(runtime: Any, text: str, **options: Any) -> Any:
    answer = runtime.invoke_model(modelId=TITAN, body=json.dumps({"inputText": text, **options}))
    return json.loads(answer["body"].read())


def similarity(runtime: Any, one: str, other: str) -> float:
    vectors = [embed(runtime, text)["embedding"] for text in (one, other)]
    return float(sum(a * b for a, b in zip(*vectors, strict=True)))


def test_the_bedrock_client_gets_the_same_message(bedrock: AnthropicBedrock) -> None:
    message = bedrock.messages.create(**said("Hello there?"))

    assert message.content[0].type == "text"
    assert message.content[0].text.startswith("I do not know that yet.")
    assert (message.model, message.stop_reason) == (PROFILE, "end_turn")


def test_the_bedrock_client_streams_through_aws_event_frames(bedrock: AnthropicBedrock) -> None:
    with bedrock.messages.stream(**said("Hello there?")) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()

    assert text.startswith("I do not know that yet.")
    assert message.stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("fault", "error", "status"),
    [
        ("rate_limited", RateLimitError, 429),
        ("overloaded", InternalServerError, 503),
        ("error", InternalServerError, 500),
    ],
)
def test_errors_have_the_form_of_bedrock(
    bedrock: AnthropicBedrock, fault: str, error: type[APIStatusError], status: int
) -> None:
    with pytest.raises(error) as failed:
        bedrock.messages.create(**said(f"Hi [[fault:{fault}]]"))

    assert failed.value.status_code == status
    assert isinstance(failed.value.body, dict)
    assert list(failed.value.body) == ["message"]


def test_an_exception_frame_in_a_bedrock_stream_raises(bedrock: AnthropicBedrock) -> None:
    with (
        pytest.raises(APIStatusError, match="modelStreamErrorException"),
        bedrock.messages.stream(**said("Hi [[fault:error_event]]")) as stream,
    ):
        stream.get_final_message()


def test_bedrock_refuses_a_wrong_request(bedrock: AnthropicBedrock) -> None:
    with pytest.raises(BadRequestError, match="at least one message is required"):
        bedrock.messages.create(model=PROFILE, max_tokens=5, messages=[])


@pytest.mark.parametrize("dimensions", [256, 512, 1024])
def test_an_embedding_has_the_dimensions_asked_for_and_length_one(runtime: Any, dimensions: int) -> None:
    answer = embed(runtime, "I live in Lisbon with my dog.", dimensions=dimensions)

    assert len(answer["embedding"]) == dimensions
    assert sum(value * value for value in answer["embedding"]) == pytest.approx(1, abs=1e-5)
    assert answer["embeddingsByType"] == {"float": answer["embedding"]}
    assert answer["inputTextTokenCount"] == 8


def test_an_embedding_is_repeatable_and_normalised_on_request_only(runtime: Any) -> None:
    raw = embed(runtime, "tea", normalize=False)["embedding"]

    assert sum(value * value for value in raw) > 2
    assert raw == embed(runtime, "tea", normalize=False)["embedding"]
    assert len(embed(runtime, "tea")["embedding"]) == 1024


def test_sentences_that_mean_the_same_lie_closer_than_others(runtime: Any) -> None:
    near = similarity(runtime, "My dog is called Rex.", "I have a puppy named Rex.")
    far = similarity(runtime, "My dog is called Rex.", "The invoice is due on Friday.")

    assert near > 0.6
    assert far < 0.3


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"inputText": "a" * 50_001}, "expected maxLength: 50000, actual: 50001"),
        ({"inputText": ""}, "expected minLength: 1, actual: 0"),
        ({"inputText": "a", "dimensions": 384}, "#/dimensions"),
        ({"inputText": "word " * 8193}, "Max input tokens: 8192, request input token count: 8193"),
    ],
)
def test_titan_refuses_what_bedrock_refuses(runtime: Any, body: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ClientError) as refused:
        runtime.invoke_model(modelId=TITAN, body=json.dumps(body))

    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert complaint in refused.value.response["Error"]["Message"]


def test_an_embedding_can_be_throttled_on_demand(runtime: Any) -> None:
    with pytest.raises(ClientError) as throttled:
        embed(runtime, "tea [[fault:rate_limited]]")

    assert throttled.value.response["Error"]["Code"] == "ThrottlingException"


def test_an_embedding_leaves_a_chat_fault_for_the_chat(runtime: Any, bedrock: AnthropicBedrock) -> None:
    marked = "tea [[fault:refusal*1#embedding]]"
    embed(runtime, marked)

    assert bedrock.messages.create(**said(marked)).stop_reason == "refusal"
