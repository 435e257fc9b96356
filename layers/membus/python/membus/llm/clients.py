"""A language model made of a speaker: deadlines are set here, and answers get their shape.

A speaker that is asked again while it is busy, as long as the deadline allows.

A circuit breaker: a model that keeps failing is left alone for a while, then tried by one call.

A second model that speaks where the first is away.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from pydantic import ValidationError

from membus.core.errors import BudgetError, BusyError, ModelError, UnavailableError
from membus.llm.ports import ChatModelClient, ModelRequest, Shape, StructuredAnswer
from membus.llm.prompt import ChatMessage, ModelEvent, ModelReply, Prompt, ReplyEnd

ERROR_REASONS = {"refusal": "refused", "max_tokens": "max_tokens"}


class StructuredModel:
    def __init__(self, speaker: ChatModelClient) -> None:
        self._speaker, self.name = speaker, speaker.name

    def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
        return self._speaker.generate_reply(
            ModelRequest(prompt, max_tokens, time.monotonic() + timeout_seconds)
        )

    def stream_reply(
        self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float
    ) -> Iterator[ModelEvent]:
        return self._speaker.stream_reply(
            ModelRequest(prompt, max_tokens, time.monotonic() + timeout_seconds)
        )

    def answer(self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float) -> Shape:
        return self.answer_with_usage(
            prompt, shape, max_tokens=max_tokens, timeout_seconds=timeout_seconds
        ).value

    def answer_with_usage(
        self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float
    ) -> StructuredAnswer[Shape]:
        ends_at, schema = time.monotonic() + timeout_seconds, shape.model_json_schema()
        first = self._finished(ModelRequest(prompt, max_tokens, ends_at, schema))
        try:
            return StructuredAnswer(shape.model_validate_json(first.text), first.model, first.usage)
        except ValidationError as error:
            repair = _repair_prompt(prompt, first.text, error)
        second = self._finished(ModelRequest(repair, max_tokens, ends_at, schema))
        try:
            return StructuredAnswer(
                shape.model_validate_json(second.text), second.model, first.usage + second.usage
            )
        except ValidationError as error:
            raise ModelError("the model's answer does not fit its schema", reason="malformed") from error

    def _finished(self, question: ModelRequest) -> ModelReply:
        """Return a whole answer; a refusal or one that was cut off is none."""
        reply = self._speaker.generate_reply(question)
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
"""Seconds before the second and the third try, or longer where the provider asks for it and the deadline allows."""
T = TypeVar("T")


class RetryingClient:
    def __init__(self, speaker: ChatModelClient) -> None:
        self._speaker, self.name = speaker, speaker.name

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        return _retry_while_busy(lambda: self._speaker.generate_reply(question), question.ends_at)

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
        """Only the beginning is tried again: what was heard cannot be taken back."""
        first, rest = _retry_while_busy(
            lambda: start_stream(self._speaker.stream_reply(question)), question.ends_at
        )
        yield first
        yield from rest


def start_stream(stream: Iterator[ModelEvent]) -> tuple[ModelEvent, Iterator[ModelEvent]]:
    """Draw the first event, which asks the model; every stream has one or raises."""
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
OPEN_SECONDS = 30.0
"""After five failures in a row a model is left alone for 30 seconds.

What Powertools' own breaker does too.
"""


class CircuitBreaker:
    """Counts one model's failures in one execution environment; threads may share it.

    Closed, it lets everybody through. Open, nobody. Half open, after OPEN_SECONDS, one call, whose end
    decides.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures, self._opens_until = 0, 0.0

    def check_closed(self) -> None:
        """Raise UnavailableError, with the time until the next probe, unless a call may go through."""
        with self._lock:
            if self._failures < FAILURES_MAX:
                return
            left = self._opens_until - time.monotonic()
            if left > 0:
                raise UnavailableError(
                    "the model keeps failing and is left alone for a moment",
                    code="model_unavailable",
                    retry_after_seconds=int(left) + 1,
                )
            self._opens_until = (
                time.monotonic() + OPEN_SECONDS
            )  # this call is the probe; others wait for its end

    def record_success(self) -> None:
        with self._lock:
            self._failures = 0

    def record_failure(self) -> None:
        with self._lock:
            self._failures += 1
            self._opens_until = time.monotonic() + OPEN_SECONDS


class CircuitBreakerClient:
    def __init__(self, speaker: ChatModelClient, breaker: CircuitBreaker) -> None:
        self._speaker, self._breaker, self.name = speaker, breaker, speaker.name

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        self._breaker.check_closed()
        try:
            reply = self._speaker.generate_reply(question)
        except UnavailableError as error:
            self._judge(error)
            raise
        self._breaker.record_success()
        return reply

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
        self._breaker.check_closed()
        try:
            for event in self._speaker.stream_reply(question):
                if isinstance(event, ReplyEnd):
                    self._breaker.record_success()
                yield event
        except UnavailableError as error:
            self._judge(error)
            raise

    def _judge(self, error: UnavailableError) -> None:
        """An answer that cannot be used shows that the model is there; only being away counts against it."""
        if isinstance(error, ModelError):
            self._breaker.record_success()
        else:
            self._breaker.record_failure()


class FallbackClient:
    """Carries the first one's name; a reply names the model that gave it.

    `tell` hears of every change over.
    """

    def __init__(
        self, first: ChatModelClient, second: ChatModelClient, tell: Callable[[UnavailableError], None]
    ) -> None:
        self._first, self._second, self._tell, self.name = first, second, tell, first.name

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        try:
            return self._first.generate_reply(question)
        except UnavailableError as error:
            self._change_over(error, question)
        return self._second.generate_reply(question)

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
        try:
            first, rest = start_stream(self._first.stream_reply(question))
        except UnavailableError as error:
            self._change_over(error, question)
            yield from self._second.stream_reply(question)
            return
        yield first
        yield from rest

    def _change_over(self, error: UnavailableError, question: ModelRequest) -> None:
        """Raise where another model is no help: money or time is spent, or an answer that was given is of no use."""
        if isinstance(error, BudgetError | ModelError) or time.monotonic() >= question.ends_at:
            raise error
        self._tell(error)
