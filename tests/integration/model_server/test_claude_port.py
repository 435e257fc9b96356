"""The port LanguageModel over HTTP: the real clients against a model server that fails on demand."""

import time
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from anthropic import Anthropic, AnthropicBedrock

from membus.core.errors import BusyError, ModelError, UnavailableError
from membus.core.tokens import TokenUsage
from membus.llm.claude import PAUSES_MAX
from membus.llm.clients import StructuredModel
from membus.llm.prompt import (
    ChatMessage,
    ModelEvent,
    Prompt,
    ReplyEnd,
    SystemBlock,
    TextDelta,
    ToolCall,
    ToolDefinition,
    ToolResult,
    UnusableReplyError,
)
from tests.support.language_models import model_with_retries

SYSTEM = (SystemBlock(name="system", text="Be kind.", cached=True),)
SEARCH = ToolDefinition(
    name="search_memory",
    description="Searches what is known.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)


@pytest.fixture(params=["anthropic", "bedrock"])
def model(request: pytest.FixtureRequest) -> StructuredModel:
    """Both APIs: each frames a stream in its own way."""
    client: Anthropic | AnthropicBedrock = request.getfixturevalue(request.param)
    return model_with_retries(client)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


def prompt(text: str, *before: ChatMessage, **fields: Any) -> Prompt:
    return Prompt(system=SYSTEM, messages=(*before, ChatMessage(role="user", text=text)), **fields)


def heard(model: StructuredModel, asked: Prompt) -> list[ModelEvent]:
    return list(model.stream_reply(asked, max_tokens=200, timeout_seconds=10))


def words(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def test_a_stream_is_words_then_usage_then_its_end(model: StructuredModel) -> None:
    events = heard(model, prompt("Hello there?"))
    whole = model.generate_reply(prompt("Hello there?"), max_tokens=200, timeout_seconds=10)

    deltas = [event for event in events if isinstance(event, TextDelta)]
    assert len(deltas) > 2
    assert words(events) == whole.text
    assert isinstance(events[0], TokenUsage)
    assert events[-2:] == [whole.usage, ReplyEnd(reply=whole)]


def test_a_tool_is_called_and_its_result_answered(model: StructuredModel) -> None:
    asked = prompt("Search your memory for my favourite tea", tools=(SEARCH,))

    stop = heard(model, asked)[-1]

    assert isinstance(stop, ReplyEnd)
    (call,) = stop.reply.calls
    assert (stop.reply.stop_reason, call.name, call.arguments) == (
        "tool_use",
        "search_memory",
        {"query": "my favourite tea"},
    )
    result = ChatMessage(
        role="user", results=(ToolResult(call_id=call.call_id, content="oolong, said in May"),)
    )
    answered = Prompt(
        system=SYSTEM, messages=(*asked.messages, stop.reply.to_message(), result), tools=(SEARCH,)
    )
    reply = model.generate_reply(answered, max_tokens=200, timeout_seconds=10)
    assert (reply.text, reply.calls) == ("Here is what I found: oolong, said in May", ())


def test_tool_calls_precede_the_end_of_a_stream_and_equal_its_calls(model: StructuredModel) -> None:
    events = heard(model, prompt("Search for tea", tools=(SEARCH,)))

    calls = [event for event in events if isinstance(event, ToolCall)]
    assert isinstance(events[-1], ReplyEnd)
    assert tuple(calls) == events[-1].reply.calls
    assert [type(event) for event in events[-3:]] == [ToolCall, TokenUsage, ReplyEnd]


def test_a_turn_of_another_model_is_sent_as_plain_text(model: StructuredModel) -> None:
    """Blocks of a provider, such as thoughts, mean something to their own model only."""
    asked = prompt("Search for tea", tools=(SEARCH,))
    said = model.generate_reply(asked, max_tokens=200, timeout_seconds=10).to_message()
    assert said.verbatim is not None
    foreign = said.model_copy(
        update={
            "verbatim": said.verbatim.model_copy(update={"model": "another", "blocks": ({"type": "odd"},)})
        }
    )
    result = ChatMessage(
        role="user", results=(ToolResult(call_id=said.calls[0].call_id, content="no tea", failed=True),)
    )

    reply = model.generate_reply(
        Prompt(system=SYSTEM, messages=(*asked.messages, foreign, result), tools=(SEARCH,)),
        max_tokens=200,
        timeout_seconds=10,
    )

    assert reply.text == "I could not look that up just now."


def test_a_prompt_without_calling_keeps_its_tools(model: StructuredModel) -> None:
    reply = model.generate_reply(
        prompt("Search for tea", tools=(SEARCH,), calling=False), max_tokens=200, timeout_seconds=10
    )

    assert (reply.stop_reason, reply.calls) == ("end_turn", ())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("cut", "cut_off"), ("empty", "cut_off")],
)
def test_a_stream_without_its_end_is_an_error(model: StructuredModel, fault: str, reason: str) -> None:
    stream = model.stream_reply(prompt(f"Hello there? [[fault:{fault}]]"), max_tokens=200, timeout_seconds=10)

    with pytest.raises(ModelError) as cut:
        list(stream)

    assert cut.value.reason == reason


@pytest.mark.parametrize("fault", ["drop", "error_event"])
def test_a_stream_that_breaks_is_not_retried(model: StructuredModel, fault: str, slept: list[float]) -> None:
    events: list[ModelEvent] = []

    with pytest.raises(BusyError):
        events.extend(
            model.stream_reply(prompt(f"Hello there? [[fault:{fault}]]"), max_tokens=200, timeout_seconds=10)
        )

    assert slept == []


def test_a_stream_that_fails_before_its_start_is_retried(model: StructuredModel, slept: list[float]) -> None:
    events = heard(model, prompt(f"Hello there? [[fault:overloaded*2#{uuid4().hex}]]"))

    assert words(events).startswith("I do not know that yet.")
    assert slept == [0.5, 2.0]


def test_a_retry_after_of_an_hour_is_passed_to_the_caller(model: StructuredModel, slept: list[float]) -> None:
    with pytest.raises(UnavailableError) as unavailable:
        heard(model, prompt("Hello? [[fault:rate_limited=3600]]"))

    assert (slept, unavailable.value.retry_after_seconds) == ([], 3600)


@pytest.mark.parametrize(("fault", "stop"), [("refusal", "refusal"), ("max_tokens", "max_tokens")])
def test_the_stop_reason_is_returned(model: StructuredModel, fault: str, stop: str) -> None:
    end = heard(model, prompt(f"Hello there? [[fault:{fault}]]"))[-1]

    assert isinstance(end, ReplyEnd)
    assert end.reply.stop_reason == stop


def test_a_cached_message_is_read_from_the_prompt_cache(anthropic: Anthropic) -> None:
    model = model_with_retries(anthropic)
    long = ChatMessage(role="user", text="tea " * 2_000, cached=True)
    turns = (long, ChatMessage(role="assistant", text="I see."))

    first = model.generate_reply(prompt("And now?", *turns), max_tokens=50, timeout_seconds=10).usage
    second = model.generate_reply(prompt("And then?", *turns), max_tokens=50, timeout_seconds=10).usage

    assert (first.cache_read, first.cache_write > 1_900) == (0, True)
    assert second.cache_read == first.cache_write


def scripted(url: str, *answers: dict[str, Any]) -> None:
    httpx2.post(f"{url}/_script", json={"answers": list(answers)}).raise_for_status()


LOOKING: list[dict[str, Any]] = [
    {"type": "text", "text": "Let me look. "},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tea"}},
]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_paused_turn_continues_where_it_paused(
    model: StructuredModel, model_url: str, *, streaming: bool
) -> None:
    marker = uuid4().hex
    paused = {"content": LOOKING, "stop_reason": "pause_turn", "match": marker}
    scripted(model_url, paused, {"text": "It is green."})

    if streaming:
        events = heard(model, prompt(f"Look up tea. {marker}"))
        assert isinstance(events[-1], ReplyEnd)
        reply = events[-1].reply
        assert words(events) == reply.text
    else:
        reply = model.generate_reply(prompt(f"Look up tea. {marker}"), max_tokens=200, timeout_seconds=10)

    assert (reply.text, reply.stop_reason) == ("Let me look. It is green.", "end_turn")
    calls = httpx2.get(f"{model_url}/_calls", params={"match": marker}).json()["calls"]
    assert [said["role"] for said in calls[-1]["body"]["messages"]] == ["user", "assistant"]
    assert reply.usage.output == sum(call["output_tokens"] for call in calls)


def test_a_turn_that_never_stops_pausing_is_an_error_with_its_usage(
    model: StructuredModel, model_url: str
) -> None:
    marker = uuid4().hex
    paused = {"content": LOOKING, "stop_reason": "pause_turn"}
    scripted(model_url, paused | {"match": marker}, *[paused] * PAUSES_MAX)

    with pytest.raises(UnusableReplyError) as given_up:
        model.generate_reply(prompt(f"Look up tea. {marker}"), max_tokens=200, timeout_seconds=10)

    assert given_up.value.reason == "paused"
    assert given_up.value.usage.output > 0


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        ("stop_sequence", "stop_sequence"),
        ("model_context_window_exceeded", "max_tokens"),
        ("end_turn", "end_turn"),
    ],
)
def test_every_known_stop_reason_is_mapped(
    model: StructuredModel, model_url: str, stop: str, told: str
) -> None:
    marker = uuid4().hex
    scripted(
        model_url, {"content": [{"type": "text", "text": "So far"}], "stop_reason": stop, "match": marker}
    )

    end = heard(model, prompt(marker))[-1]

    assert isinstance(end, ReplyEnd)
    assert (end.reply.stop_reason, end.reply.text) == (told, "So far")


def test_an_unknown_stop_reason_is_an_error(model: StructuredModel, model_url: str) -> None:
    marker = uuid4().hex
    scripted(
        model_url, {"content": [{"type": "text", "text": "So"}], "stop_reason": "bored", "match": marker}
    )

    with pytest.raises(UnusableReplyError):
        model.generate_reply(prompt(marker), max_tokens=200, timeout_seconds=10)


def test_tool_calls_that_were_cut_off_are_not_returned(model: StructuredModel, model_url: str) -> None:
    marker = uuid4().hex
    half = {"type": "tool_use", "id": "toolu_1", "name": "search_memory", "input": {}}
    scripted(
        model_url,
        {"content": [{"type": "text", "text": "I"}, half], "stop_reason": "max_tokens", "match": marker},
    )

    reply = model.generate_reply(prompt(marker, tools=(SEARCH,)), max_tokens=200, timeout_seconds=10)

    assert (reply.stop_reason, reply.calls) == ("max_tokens", ())


def test_white_space_before_a_tool_call_is_not_sent_back(model: StructuredModel, model_url: str) -> None:
    """The provider itself sends such texts, and refuses a request that holds one."""
    marker = uuid4().hex
    called = [
        {"type": "text", "text": "\n\n"},
        {"type": "tool_use", "id": "toolu_1", "name": "search_memory", "input": {"query": "tea"}},
    ]
    scripted(model_url, {"content": called, "stop_reason": "tool_use", "match": marker}, {"text": "Oolong."})
    asked = prompt(f"Which tea? {marker}", tools=(SEARCH,))
    said = model.generate_reply(asked, max_tokens=200, timeout_seconds=10).to_message()
    result = ChatMessage(role="user", results=(ToolResult(call_id="toolu_1", content="oolong"),))

    for turn in (said, said.model_copy(update={"verbatim": None})):
        follow_up = Prompt(system=SYSTEM, messages=(*asked.messages, turn, result), tools=(SEARCH,))
        assert model.generate_reply(follow_up, max_tokens=200, timeout_seconds=10).text
