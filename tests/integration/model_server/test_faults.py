"""Faults on demand, as the real clients meet them."""

from typing import Any

import httpx2
import pytest
from anthropic import (
    Anthropic,
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
)


def request(fault: str) -> Any:
    marked = f"Hello there? [[fault:{fault}]]"
    return {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": marked}]}


def streamed(client: Anthropic, fault: str) -> Any:
    with client.messages.stream(**request(fault)) as stream:
        return stream.get_final_message()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate_limited", RateLimitError),
        ("overloaded", OverloadedError),
        ("error", InternalServerError),
        ("cut", APIConnectionError),
        ("drop", APIConnectionError),
        ("error_event", InternalServerError),
        ("no_such_fault", BadRequestError),
    ],
)
def test_a_failing_call_raises_the_error_of_the_real_api(
    anthropic: Anthropic, fault: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        anthropic.messages.create(**request(fault))


def test_a_rate_limit_error_has_retry_after(anthropic: Anthropic) -> None:
    with pytest.raises(RateLimitError) as limited:
        anthropic.messages.create(**request("rate_limited=7"))

    assert limited.value.response.headers["retry-after"] == "7"


def test_a_slow_answer_exceeds_the_timeout(anthropic: Anthropic) -> None:
    with pytest.raises(APITimeoutError):
        anthropic.messages.create(**request("slow=0.5"), timeout=0.1)

    assert anthropic.messages.create(**request("slow=0.1")).stop_reason == "end_turn"


def test_a_cut_stream_raises_nothing_and_has_no_stop_reason(anthropic: Anthropic) -> None:
    message = streamed(anthropic, "cut")

    assert message.stop_reason is None
    assert message.content[0].text == "I do not know that yet. Tell me, "


def test_a_dropped_stream_raises_the_error_of_the_http_client(anthropic: Anthropic) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        streamed(anthropic, "drop")


def test_an_error_event_in_a_stream_raises(anthropic: Anthropic) -> None:
    with pytest.raises(APIStatusError, match="Overloaded"):
        streamed(anthropic, "error_event")


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("fault", "stop_reason", "text"),
    [
        ("refusal", "refusal", ""),
        ("empty", "end_turn", ""),
        ("max_tokens", "max_tokens", "I do not know that yet. Tell"),
        ("garbage", "end_turn", "Sure! Here is what I found:"),
    ],
)
def test_a_refused_or_broken_answer_raises_nothing(
    anthropic: Anthropic, fault: str, stop_reason: str, text: str, *, streaming: bool
) -> None:
    message = streamed(anthropic, fault) if streaming else anthropic.messages.create(**request(fault))

    assert message.stop_reason == stop_reason
    assert "".join(block.text for block in message.content).startswith(text)
    assert (message.stop_details is not None) == (fault == "refusal")


def test_a_counted_fault_ends_and_a_retry_gets_the_answer(anthropic: Anthropic) -> None:
    with pytest.raises(OverloadedError):
        anthropic.messages.create(**request("overloaded*2#counted"))

    patient = anthropic.with_options(max_retries=1)

    assert patient.messages.create(**request("overloaded*2#counted")).stop_reason == "end_turn"


def test_a_header_asks_for_a_fault(anthropic: Anthropic) -> None:
    with pytest.raises(OverloadedError):
        anthropic.messages.create(
            model="m",
            max_tokens=9,
            messages=[{"role": "user", "content": "Hi"}],
            extra_headers={"x-membus-fault": "overloaded"},
        )


def test_a_fault_in_an_earlier_turn_is_ignored(anthropic: Anthropic) -> None:
    turns: Any = [
        {"role": "user", "content": "Hello [[fault:overloaded]]"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "And now?"},
    ]

    assert anthropic.messages.create(model="m", max_tokens=50, messages=turns).stop_reason == "end_turn"
