"""membus/asking: a breaker that opens and half opens, and a model that speaks where another is away."""

import time
from collections.abc import Iterator

import pytest

from membus.core.errors import BudgetError, BusyError, ModelError, UnavailableError
from membus.core.tokens import TokenUsage
from membus.llm.clients import (
    FAILURES_MAX,
    OPEN_SECONDS,
    CircuitBreaker,
    CircuitBreakerClient,
    FallbackClient,
    StructuredModel,
)
from membus.llm.ports import ChatModelClient, ModelRequest
from membus.llm.prompt import ModelEvent, ModelReply, ReplyEnd, TextDelta
from tests.factories import a_prompt

BUSY = BusyError("overloaded", code="model_unavailable")


class Mood:
    """A model that can be made to fail, and counts how often it was asked."""

    def __init__(
        self, name: str = "first", failing: UnavailableError | None = None, *, midway: bool = False
    ) -> None:
        self.name, self.failing, self.asked, self._midway = name, failing, 0, midway

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        self.asked += 1
        if self.failing:
            raise self.failing
        return ModelReply(
            text="Hello.", stop_reason="end_turn", model=self.name, usage=TokenUsage(input=1, output=1)
        )

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
        if self._midway:
            yield TextDelta(text="Hel")
        reply = self.generate_reply(question)
        yield TextDelta(text=reply.text)
        yield ReplyEnd(reply=reply)


class Refusing(Mood):
    """A model that refuses, after `words` that it streams."""

    def __init__(self, words: str = "") -> None:
        super().__init__()
        self._words = words

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        reply = super().generate_reply(question)
        return reply.model_copy(update={"text": self._words, "stop_reason": "refusal"})

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
        yield TokenUsage(input=1, output=0)
        if self._words:
            yield TextDelta(text=self._words)
        yield ReplyEnd(reply=self.generate_reply(question))


class Watch:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(time, "monotonic", watch)
    return watch


def ask(speaker: ChatModelClient, *, streaming: bool = False) -> ModelReply:
    model = StructuredModel(speaker)
    if not streaming:
        return model.generate_reply(a_prompt(), max_tokens=10, timeout_seconds=5)
    end = list(model.stream_reply(a_prompt(), max_tokens=10, timeout_seconds=5))[-1]
    assert isinstance(end, ReplyEnd)
    return end.reply


def fail(speaker: ChatModelClient, times: int, *, streaming: bool = False) -> None:
    for _ in range(times):
        with pytest.raises(UnavailableError):
            ask(speaker, streaming=streaming)


both = pytest.mark.parametrize("streaming", [False, True])


@both
def test_a_model_that_keeps_failing_is_left_alone(watch: Watch, *, streaming: bool) -> None:
    mood = Mood(failing=BUSY)
    guarded = CircuitBreakerClient(mood, CircuitBreaker())
    fail(guarded, FAILURES_MAX, streaming=streaming)
    watch.seconds += OPEN_SECONDS / 2

    with pytest.raises(UnavailableError) as left_alone:
        ask(guarded, streaming=streaming)

    assert mood.asked == FAILURES_MAX
    assert left_alone.value.retry_after_seconds == OPEN_SECONDS / 2 + 1
    assert not isinstance(left_alone.value, BusyError), "nobody shall wait in front of an open breaker"


@both
def test_after_a_while_one_call_tries_and_opens_the_way(watch: Watch, *, streaming: bool) -> None:
    mood = Mood(failing=BUSY)
    guarded = CircuitBreakerClient(mood, CircuitBreaker())
    fail(guarded, FAILURES_MAX)
    watch.seconds += OPEN_SECONDS
    mood.failing = None

    assert ask(guarded, streaming=streaming).text == "Hello."
    assert ask(guarded, streaming=streaming).text == "Hello."


@pytest.mark.usefixtures("watch")
def test_only_one_call_tries_at_a_time(watch: Watch) -> None:
    breaker = CircuitBreaker()
    for _ in range(FAILURES_MAX):
        breaker.record_failure()
    watch.seconds += OPEN_SECONDS

    breaker.check_closed()
    with pytest.raises(UnavailableError):
        breaker.check_closed()


def test_a_trial_that_fails_closes_the_way_again(watch: Watch) -> None:
    mood = Mood(failing=BUSY)
    guarded = CircuitBreakerClient(mood, CircuitBreaker())
    fail(guarded, FAILURES_MAX)
    watch.seconds += OPEN_SECONDS
    fail(guarded, 2)

    assert mood.asked == FAILURES_MAX + 1


@both
def test_an_answer_of_no_use_shows_that_the_model_is_there(*, streaming: bool) -> None:
    mood = Mood(failing=BUSY)
    guarded = CircuitBreakerClient(mood, CircuitBreaker())
    fail(guarded, FAILURES_MAX - 1, streaming=streaming)
    mood.failing = ModelError("cut off", reason="cut_off")
    fail(guarded, 1, streaming=streaming)
    mood.failing = BUSY
    fail(guarded, FAILURES_MAX - 1, streaming=streaming)
    mood.failing = None

    assert ask(guarded, streaming=streaming).text == "Hello."


def test_models_have_breakers_of_their_own() -> None:
    broken, well = (
        CircuitBreakerClient(Mood(failing=BUSY), CircuitBreaker()),
        CircuitBreakerClient(Mood(), CircuitBreaker()),
    )
    fail(broken, FAILURES_MAX)

    assert ask(well).text == "Hello."


@both
def test_another_model_is_asked_where_the_first_refuses(*, streaming: bool) -> None:
    told: list[UnavailableError] = []
    reply = ask(FallbackClient(Refusing(), Mood("second"), told.append), streaming=streaming)

    assert (reply.model, reply.stop_reason) == ("second", "end_turn")
    assert [each.code for each in told] == ["model_refused"]


def test_words_that_were_sent_on_before_a_refusal_stand() -> None:
    reply = ask(FallbackClient(Refusing("Sure"), Mood("second"), lambda _: None), streaming=True)

    assert (reply.model, reply.stop_reason, reply.text) == ("first", "refusal", "Sure")


@both
def test_another_model_speaks_where_the_first_is_away_and_says_so(*, streaming: bool) -> None:
    told: list[UnavailableError] = []
    pair = FallbackClient(Mood(failing=BUSY), Mood("second"), told.append)

    assert (pair.name, ask(pair, streaming=streaming).model) == ("first", "second")
    assert told == [BUSY]


@both
def test_a_model_that_is_there_needs_no_other(*, streaming: bool) -> None:
    second = Mood("second")

    assert ask(FallbackClient(Mood(), second, lambda _: None), streaming=streaming).model == "first"
    assert second.asked == 0


@both
@pytest.mark.parametrize("error", [BudgetError("spent"), ModelError("refused", reason="refused")])
def test_what_another_model_cannot_mend_is_not_asked_of_it(
    error: UnavailableError, *, streaming: bool
) -> None:
    second = Mood("second")

    with pytest.raises(type(error)):
        ask(FallbackClient(Mood(failing=error), second, lambda _: None), streaming=streaming)

    assert second.asked == 0


@both
def test_another_model_is_not_asked_when_the_time_is_over(watch: Watch, *, streaming: bool) -> None:
    second = Mood("second")

    class Late(Mood):
        def generate_reply(self, question: ModelRequest) -> ModelReply:
            watch.seconds = question.ends_at
            return super().generate_reply(question)

    with pytest.raises(BusyError):
        ask(FallbackClient(Late(failing=BUSY), second, lambda _: None), streaming=streaming)

    assert second.asked == 0


def test_nobody_else_finishes_what_was_begun() -> None:
    second = Mood("second")

    with pytest.raises(BusyError):
        ask(FallbackClient(Mood(failing=BUSY, midway=True), second, lambda _: None), streaming=True)

    assert second.asked == 0


def test_where_both_are_away_the_second_ones_word_counts() -> None:
    hour = BusyError("come back later", asked_seconds=3600)

    with pytest.raises(BusyError) as away:
        ask(FallbackClient(Mood(failing=BUSY), Mood("second", failing=hour), lambda _: None))

    assert away.value.retry_after_seconds == 3600
