"""Language models over any client: deadlines, answers by schema, retries, a circuit breaker, a fallback."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from pydantic import ValidationError

from membus.core.errors import BudgetError, BusyError, ModelError, UnavailableError
from membus.llm.ports import ChatModelClient, ModelRequest, Schema, StructuredAnswer
from membus.llm.prompt import (
    ChatMessage,
    ModelEvent,
    ModelReply,
    Prompt,
    ReplyEnd,
    TextDelta,
    ToolCall,
)

ERROR_REASONS = {"refusal": "refused", "max_tokens": "max_tokens"}


class StructuredModel:
    """The port LanguageModel over a client: sets deadlines and reads answers in their schema."""

    def __init__(self, client: ChatModelClient) -> None:
        self._client, self.name = client, client.name

    def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
        return self._client.generate_reply(
            ModelRequest(prompt, max_tokens, time.monotonic() + timeout_seconds)
        )

    def stream_reply(
        self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float
    ) -> Iterator[ModelEvent]:
        return self._client.stream_reply(ModelRequest(prompt, max_tokens, time.monotonic() + timeout_seconds))

    def answer(
        self, prompt: Prompt, schema: type[Schema], *, max_tokens: int, timeout_seconds: float
    ) -> StructuredAnswer[Schema]:
        ends_at = time.monotonic() + timeout_seconds
        request = ModelRequest(prompt, max_tokens, ends_at, schema.model_json_schema())
        first = self._complete_reply(request)
        try:
            return StructuredAnswer(schema.model_validate_json(first.text), first.model, first.usage)
        except ValidationError as error:
            repair = replace(request, prompt=_repair_prompt(prompt, first.text, error))
        second = self._complete_reply(repair)
        try:
            value = schema.model_validate_json(second.text)
        except ValidationError as error:
            raise ModelError("the model's answer does not fit its schema", reason="malformed") from error
        return StructuredAnswer(value, second.model, first.usage + second.usage)

    def _complete_reply(self, request: ModelRequest) -> ModelReply:
        reply = self._client.generate_reply(request)
        if reply.stop_reason != "end_turn":
            reason = ERROR_REASONS.get(reply.stop_reason, "cut_off")
            raise ModelError(f"the model stopped with {reply.stop_reason}", reason=reason)
        return reply


def _repair_prompt(prompt: Prompt, text: str, error: ValidationError) -> Prompt:
    complaint = json.dumps(error.errors(include_url=False, include_input=False, include_context=False)[:5])
    again = f"That answer does not fit the schema: {complaint}. Answer again with nothing but the JSON."
    said = (
        *prompt.messages,
        ChatMessage(role="assistant", text=text or "(nothing)"),
        ChatMessage(role="user", text=again),
    )
    return prompt.model_copy(update={"messages": said})


RETRY_PAUSES_SECONDS = (0.5, 2.0)
"""Pauses before the second and the third try, longer if the provider asks for it and the deadline allows."""
T = TypeVar("T")


class RetryingClient:
    """Asks a busy model again, as long as the deadline allows."""

    def __init__(self, client: ChatModelClient) -> None:
        self._client, self.name = client, client.name

    def generate_reply(self, request: ModelRequest) -> ModelReply:
        return _retry_while_busy(lambda: self._client.generate_reply(request), request.ends_at)

    def stream_reply(self, request: ModelRequest) -> Iterator[ModelEvent]:
        """Retry only before the first event: words that were sent on cannot be taken back."""
        first, rest = _retry_while_busy(
            lambda: _start_stream(self._client.stream_reply(request)), request.ends_at
        )
        yield first
        yield from rest


def _start_stream(stream: Iterator[ModelEvent]) -> tuple[ModelEvent, Iterator[ModelEvent]]:
    """Draw the first event, which asks the model; a stream without one raises."""
    return next(stream), stream


def _retry_while_busy(act: Callable[[], T], ends_at: float) -> T:
    for pause in (*RETRY_PAUSES_SECONDS, None):
        try:
            return act()
        except BusyError as busy:
            if pause is None:
                raise
            wait = max(pause, busy.asked_seconds or 0)
            if time.monotonic() + wait >= ends_at:
                raise
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")


FAILURES_MAX = 5
"""Failures in a row that open the breaker, as in Powertools' own."""
OPEN_SECONDS = 30.0


class CircuitBreaker:
    """The failures of one model in one execution environment, counted over all threads.

    A closed breaker lets every call through, an open one none. After OPEN_SECONDS it lets one call through,
    whose end closes it or opens it again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures, self._open_until = 0, 0.0

    def check_closed(self) -> None:
        """Raise UnavailableError, with the time until the next call, unless a call may go through."""
        with self._lock:
            if self._failures < FAILURES_MAX:
                return
            left = self._open_until - time.monotonic()
            if left > 0:
                raise UnavailableError(
                    "the model keeps failing and is left alone for a moment",
                    code="model_unavailable",
                    retry_after_seconds=int(left) + 1,
                )
            self._open_until = time.monotonic() + OPEN_SECONDS  # the other calls wait for the end of this one

    def record_success(self) -> None:
        with self._lock:
            self._failures = 0

    def record_failure(self) -> None:
        with self._lock:
            self._failures += 1
            self._open_until = time.monotonic() + OPEN_SECONDS


class CircuitBreakerClient:
    """Asks nothing of a model while its breaker is open."""

    def __init__(self, client: ChatModelClient, breaker: CircuitBreaker) -> None:
        self._client, self._breaker, self.name = client, breaker, client.name

    def generate_reply(self, request: ModelRequest) -> ModelReply:
        with self._counted_failures():
            reply = self._client.generate_reply(request)
        self._breaker.record_success()
        return reply

    def stream_reply(self, request: ModelRequest) -> Iterator[ModelEvent]:
        with self._counted_failures():
            for event in self._client.stream_reply(request):
                if isinstance(event, ReplyEnd):
                    self._breaker.record_success()
                yield event

    @contextmanager
    def _counted_failures(self) -> Iterator[None]:
        """Count a model that is away as a failure; an answer that cannot be used shows that it is there."""
        self._breaker.check_closed()
        try:
            yield
        except ModelError:
            self._breaker.record_success()
            raise
        except UnavailableError:
            self._breaker.record_failure()
            raise


class FallbackClient:
    """Asks a second model where the first is away, or refuses before a word was sent on.

    It has the name of the first; a reply names the model that gave it. `on_fallback` gets each error that the
    second model is asked for.
    """

    def __init__(
        self, first: ChatModelClient, second: ChatModelClient, on_fallback: Callable[[UnavailableError], None]
    ) -> None:
        self._first, self._second, self._on_fallback, self.name = first, second, on_fallback, first.name

    def generate_reply(self, request: ModelRequest) -> ModelReply:
        try:
            reply = self._first.generate_reply(request)
        except UnavailableError as error:
            self._check_fallback(error, request)
        else:
            if reply.stop_reason != "refusal" or time.monotonic() >= request.ends_at:
                return reply
            self._on_fallback(_refusal_error())
        return self._second.generate_reply(request)

    def stream_reply(self, request: ModelRequest) -> Iterator[ModelEvent]:
        try:
            first, rest = _start_stream(self._first.stream_reply(request))
        except UnavailableError as error:
            self._check_fallback(error, request)
            yield from self._second.stream_reply(request)
            return
        held: list[ModelEvent] = []
        is_wordless = True
        for event in chain((first,), rest):
            if is_wordless and _is_refusal(event) and time.monotonic() < request.ends_at:
                self._on_fallback(_refusal_error())
                yield from self._second.stream_reply(request)
                return
            is_wordless = is_wordless and not isinstance(event, TextDelta | ToolCall | ReplyEnd)
            held.append(event)
            if not is_wordless:
                yield from held
                held.clear()
        yield from held

    def _check_fallback(self, error: UnavailableError, request: ModelRequest) -> None:
        """Raise the error where no second model helps: money or time has run out, or there was an answer."""
        if isinstance(error, BudgetError | ModelError) or time.monotonic() >= request.ends_at:
            raise error
        self._on_fallback(error)


def _is_refusal(event: ModelEvent) -> bool:
    return isinstance(event, ReplyEnd) and event.reply.stop_reason == "refusal"


def _refusal_error() -> UnavailableError:
    return UnavailableError("the model refused to answer", code="model_refused")
