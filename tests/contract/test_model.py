"""The port LanguageModel: the real Anthropic client over a scripted wire."""

import json
import time
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic, AnthropicBedrock
from pydantic import BaseModel

from membus.asking.model import Model
from membus.domain.prompt import Reply, Usage
from membus.errors import ModelError, UnavailableError
from tests.factories import a_prompt
from tests.models import patient_model

BROKEN = httpx2.Response(200, text='{"content": [', headers={"content-type": "application/json"})
Served = httpx2.Response | Exception


class City(BaseModel):
    city: str
    people: int


class Wire:
    """Answers requests from a list, the last one for ever, and keeps their bodies."""

    def __init__(self) -> None:
        self.answers: list[Served] = []
        self.requests: list[httpx2.Request] = []

    def serve(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def model(wire: Wire) -> Model:
    http = httpx2.Client(transport=httpx2.MockTransport(wire.serve))
    return patient_model(Anthropic(api_key="k", http_client=http))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no test wait; tell what would have been waited."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


def message(text: str = "Hello.", stop: str | None = "end_turn", **usage: int) -> httpx2.Response:
    body = {
        "id": "m", "type": "message", "role": "assistant", "model": "claude-test-1", "stop_sequence": None,
        "content": [{"type": "text", "text": text}] if text else [], "stop_reason": stop,
        "usage": {"input_tokens": 10, "output_tokens": 3} | usage,
    }  # fmt: skip
    return httpx2.Response(200, json=body)


def trouble(status: int, **headers: str) -> httpx2.Response:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    return httpx2.Response(status, json=error, headers=headers)


def reply(model: Model, seconds: float = 30) -> Reply:
    return model.reply(a_prompt(), max_tokens=100, timeout_seconds=seconds)


def answer(model: Model, seconds: float = 30) -> City:
    return model.answer(a_prompt(), City, max_tokens=200, timeout_seconds=seconds)


def test_a_prompt_is_sent_as_the_provider_wants_it(model: Model, wire: Wire) -> None:
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


def test_a_reply_carries_its_words_and_what_they_cost(model: Model, wire: Wire) -> None:
    wire.answers = [message("Tea.", cache_read_input_tokens=7, cache_creation_input_tokens=5)]

    assert reply(model) == Reply(
        text="Tea.", stop_reason="end_turn", model="claude-test-1",
        usage=Usage(input=10, output=3, cache_read=7, cache_write=5),
    )  # fmt: skip


def test_an_answer_is_asked_for_by_its_schema(model: Model, wire: Wire) -> None:
    wire.answers = [message('{"city": "Porto", "people": 3}')]

    assert answer(model) == City(city="Porto", people=3)
    wanted = wire.bodies[0]["output_config"]["format"]
    assert wanted["type"] == "json_schema"
    assert wanted["schema"]["required"] == ["city", "people"]
    assert wanted["schema"]["additionalProperties"] is False


@pytest.mark.usefixtures("slept")
@pytest.mark.parametrize("status", [408, 429, 500, 503, 529])
def test_a_busy_provider_is_asked_again(model: Model, wire: Wire, status: int) -> None:
    wire.answers = [trouble(status), trouble(status), message()]

    assert reply(model).text == "Hello."
    assert len(wire.requests) == 3


def test_pauses_grow_where_the_provider_names_none(model: Model, wire: Wire, slept: list[float]) -> None:
    wire.answers = [trouble(529)]

    with pytest.raises(UnavailableError):
        reply(model)

    assert slept == [0.5, 2.0]
    assert len(wire.requests) == 3


def test_a_wait_that_the_provider_asks_for_is_kept_where_there_is_time(
    model: Model, wire: Wire, slept: list[float]
) -> None:
    wire.answers = [trouble(429, **{"retry-after": "7"}), trouble(429, **{"retry-after-ms": "1500"}), message()]

    assert reply(model).text == "Hello."
    assert slept == [7.0, 2.0]


@pytest.mark.parametrize("hour", [{"retry-after": "3600"}, {"retry-after": "3600", "retry-after-ms": "3600000"}])
def test_an_hour_is_not_slept_but_passed_on(model: Model, wire: Wire, slept: list[float], hour: dict[str, str]) -> None:
    wire.answers = [trouble(429, **hour, **{"x-should-retry": "true"})]

    with pytest.raises(UnavailableError) as unavailable:
        reply(model)

    assert (slept, len(wire.requests), unavailable.value.retry_after_seconds) == ([], 1, 3600)


def test_a_date_to_come_back_is_understood(model: Model, wire: Wire, slept: list[float]) -> None:
    wire.answers = [trouble(503, **{"retry-after": "Fri, 31 Dec 2099 23:59:59 GMT"})]

    with pytest.raises(UnavailableError) as unavailable:
        reply(model)

    assert slept == []
    assert unavailable.value.retry_after_seconds > 1_000_000


@pytest.mark.usefixtures("slept")
@pytest.mark.parametrize("fault", [trouble(529), httpx2.ConnectError("no route"), httpx2.ReadTimeout("slow")])
def test_a_provider_that_stays_down_is_unavailable(model: Model, wire: Wire, fault: Served) -> None:
    wire.answers = [fault]

    with pytest.raises(UnavailableError) as unavailable:
        reply(model)

    assert (unavailable.value.code, unavailable.value.__cause__ is not None) == ("model_unavailable", True)
    assert not isinstance(unavailable.value, ModelError)


def test_no_try_begins_that_could_not_end_in_time(model: Model, wire: Wire) -> None:
    wire.answers = [trouble(529)]

    with pytest.raises(UnavailableError):
        reply(model, seconds=0.4)

    assert len(wire.requests) == 1


def test_every_call_is_bounded_by_the_time_that_is_left(model: Model, wire: Wire) -> None:
    wire.answers = [message()]

    reply(model, seconds=7)

    timeouts = wire.requests[0].extensions["timeout"]
    assert all(0 < seconds <= 7 for seconds in timeouts.values())


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_our_trouble_and_not_tried_again(model: Model, wire: Wire, status: int) -> None:
    wire.answers = [trouble(status)]

    with pytest.raises(UnavailableError) as unavailable:
        reply(model)

    assert unavailable.value.code == "model_unavailable"
    assert len(wire.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 413])
def test_a_request_the_provider_refuses_is_not_tried_again(model: Model, wire: Wire, status: int) -> None:
    wire.answers = [trouble(status)]

    with pytest.raises(ModelError) as refused:
        reply(model)

    assert refused.value.reason == "invalid_request"
    assert len(wire.requests) == 1


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
def test_an_answer_that_is_none_is_unusable(model: Model, wire: Wire, cut: httpx2.Response) -> None:
    wire.answers = [cut]

    with pytest.raises(ModelError):
        reply(model)


def test_a_refusal_is_a_reply(model: Model, wire: Wire) -> None:
    wire.answers = [message("", "refusal")]

    assert (reply(model).text, reply(model).stop_reason) == ("", "refusal")


def test_a_reply_at_its_limit_is_a_reply(model: Model, wire: Wire) -> None:
    wire.answers = [message("So far", "max_tokens")]

    assert reply(model).stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("stop", "reason"),
    [("refusal", "refused"), ("max_tokens", "max_tokens"), (None, "cut_off"), ("tool_use", "cut_off")],
)
def test_an_unfinished_answer_is_never_half_read(model: Model, wire: Wire, stop: str | None, reason: str) -> None:
    wire.answers = [message('{"city": "Porto", "people": 3}', stop)]

    with pytest.raises(ModelError) as unusable:
        answer(model)

    assert unusable.value.reason == reason
    assert len(wire.requests) == 1


@pytest.mark.parametrize("garbage", ["Sure! Here it is", '{"city": 5}', "", '{"city": "Porto", "people": 3} ok?'])
def test_garbage_is_repaired_once(model: Model, wire: Wire, garbage: str) -> None:
    wire.answers = [message(garbage), message('{"city": "Porto", "people": 3}')]

    assert answer(model) == City(city="Porto", people=3)
    first, second = wire.bodies
    assert second["messages"][:1] == first["messages"]
    assert [said["role"] for said in second["messages"]] == ["user", "assistant", "user"]
    assert second["messages"][1]["content"]
    assert (second["output_config"], second["system"]) == (first["output_config"], first["system"])


def test_garbage_twice_is_unusable(model: Model, wire: Wire) -> None:
    wire.answers = [message("garbage")]

    with pytest.raises(ModelError) as unusable:
        answer(model)

    assert unusable.value.reason == "malformed"
    assert len(wire.requests) == 2


def test_a_repair_has_only_the_time_that_is_left(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    wire.answers = [message("garbage")]

    def slow(request: httpx2.Request) -> httpx2.Response:
        now[0] += 6
        return wire.serve(request)

    http = httpx2.Client(transport=httpx2.MockTransport(slow))
    with pytest.raises(ModelError):
        answer(patient_model(Anthropic(api_key="k", http_client=http)), seconds=10)

    assert [request.extensions["timeout"]["read"] for request in wire.requests] == [10, 4]


def test_bedrock_is_asked_the_same(wire: Wire) -> None:
    wire.answers = [message("Tea.")]
    http = httpx2.Client(transport=httpx2.MockTransport(wire.serve))
    client = AnthropicBedrock(aws_access_key="a", aws_secret_key="s", aws_region="us-east-1", http_client=http)

    assert reply(patient_model(client, "anthropic.claude-test")).text == "Tea."
    (body,) = wire.bodies
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert str(wire.requests[0].url).endswith("/model/anthropic.claude-test/invoke")
