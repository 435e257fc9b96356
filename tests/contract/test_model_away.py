"""The port LanguageModel while the provider is busy, slow, down or refuses.

Waits that fit, and no try too many.
"""

import time

import httpx2
import pytest
from anthropic import Anthropic

from membus.core.errors import ModelError, UnavailableError
from membus.llm.clients import StructuredModel
from tests.support.language_models import (
    ScriptedWire,
    Served,
    answer,
    message,
    model_with_retries,
    reply,
    trouble,
)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no test wait; tell what would have been waited."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


@pytest.mark.usefixtures("slept")
@pytest.mark.parametrize("status", [408, 429, 500, 503, 529])
def test_busy_provider_is_called_again(model: StructuredModel, wire: ScriptedWire, status: int) -> None:
    wire.answers = [trouble(status), trouble(status), message()]

    assert reply(model).text == "Hello."
    assert len(wire.requests) == 3


def test_pauses_grow_where_the_provider_names_none(
    model: StructuredModel, wire: ScriptedWire, slept: list[float]
) -> None:
    wire.answers = [trouble(529)]

    with pytest.raises(UnavailableError):
        reply(model)

    assert slept == [0.5, 2.0]
    assert len(wire.requests) == 3


def test_retry_after_of_the_provider_is_kept_if_there_is_time(
    model: StructuredModel, wire: ScriptedWire, slept: list[float]
) -> None:
    wire.answers = [
        trouble(429, **{"retry-after": "7"}),
        trouble(429, **{"retry-after-ms": "1500"}),
        message(),
    ]

    assert reply(model).text == "Hello."
    assert slept == [7.0, 2.0]


@pytest.mark.parametrize(
    "hour", [{"retry-after": "3600"}, {"retry-after": "3600", "retry-after-ms": "3600000"}]
)
def test_long_retry_after_is_passed_on_and_not_slept(
    model: StructuredModel, wire: ScriptedWire, slept: list[float], hour: dict[str, str]
) -> None:
    wire.answers = [trouble(429, **hour, **{"x-should-retry": "true"})]

    with pytest.raises(UnavailableError) as unavailable:
        reply(model)

    assert (slept, len(wire.requests), unavailable.value.retry_after_seconds) == ([], 1, 3600)


def test_retry_after_may_be_a_date(model: StructuredModel, wire: ScriptedWire, slept: list[float]) -> None:
    wire.answers = [trouble(503, **{"retry-after": "Fri, 31 Dec 2099 23:59:59 GMT"})]

    with pytest.raises(UnavailableError) as unavailable:
        reply(model)

    assert slept == []
    assert unavailable.value.retry_after_seconds > 1_000_000


@pytest.mark.usefixtures("slept")
@pytest.mark.parametrize("fault", [trouble(529), httpx2.ConnectError("no route"), httpx2.ReadTimeout("slow")])
def test_provider_that_stays_down_is_unavailable(
    model: StructuredModel, wire: ScriptedWire, fault: Served
) -> None:
    wire.answers = [fault]

    with pytest.raises(UnavailableError) as unavailable:
        reply(model)

    assert (unavailable.value.code, unavailable.value.__cause__ is not None) == ("model_unavailable", True)
    assert not isinstance(unavailable.value, ModelError)


def test_no_call_starts_that_cannot_end_in_time(model: StructuredModel, wire: ScriptedWire) -> None:
    wire.answers = [trouble(529)]

    with pytest.raises(UnavailableError):
        reply(model, seconds=0.4)

    assert len(wire.requests) == 1


def test_every_call_ends_within_the_time_left(model: StructuredModel, wire: ScriptedWire) -> None:
    wire.answers = [message()]

    reply(model, seconds=7)

    timeouts = wire.requests[0].extensions["timeout"]
    assert all(0 < seconds <= 7 for seconds in timeouts.values())


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credential_is_a_defect_and_not_tried_again(
    model: StructuredModel, wire: ScriptedWire, status: int
) -> None:
    wire.answers = [trouble(status)]

    with pytest.raises(UnavailableError) as unavailable:
        reply(model)

    assert unavailable.value.code == "model_unavailable"
    assert len(wire.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 413])
def test_a_request_the_provider_refuses_is_not_tried_again(
    model: StructuredModel, wire: ScriptedWire, status: int
) -> None:
    wire.answers = [trouble(status)]

    with pytest.raises(ModelError) as refused:
        reply(model)

    assert refused.value.reason == "invalid_request"
    assert len(wire.requests) == 1


def test_repair_has_only_the_time_left(wire: ScriptedWire, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    wire.answers = [message("garbage")]

    def slow(request: httpx2.Request) -> httpx2.Response:
        now[0] += 6
        return wire.serve(request)

    http = httpx2.Client(transport=httpx2.MockTransport(slow))
    with pytest.raises(ModelError):
        answer(model_with_retries(Anthropic(api_key="k", http_client=http)), seconds=10)

    assert [request.extensions["timeout"]["read"] for request in wire.requests] == [10, 4]
