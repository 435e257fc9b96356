"""functions/extract/handler: the failed messages go back, each after a wait that grows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.extract.handler import handler
from membus.container import Container
from membus.core.errors import ModelError, UnavailableError
from membus.erasure.guard import ErasureGuard
from membus.llm.prompt import ModelReply, Prompt
from membus.observability import metrics
from membus.tenants.settings import NoSettings
from scripts.reextraction.signals import InMemorySignals
from tests.factories import ADA, an_event, said
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryOverflowQueue, InMemoryPoisonMessages, InMemorySourceQueue
from tests.fakes.facts import InMemoryFacts
from tests.fakes.model import ScriptedModel
from tests.fakes.review_queue import InMemoryReviewQueue
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages
from tests.fakes.usage import InMemoryUsageLedger
from tests.support.api_client import LambdaInvocation
from tests.support.containers import FakeModels
from tests.support.extraction import a_record, observant

RECEIVES_MAX = 12
"""What Terraform gives the queue of extract."""
CUT_OFF = ScriptedModel(ModelError("the model stopped with None", reason="cut_off"))
DOWN = ScriptedModel(UnavailableError("the model cannot be reached", code="model_unavailable"))


class Parts:
    """What the function is wired to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.episodes = self.answers = InMemoryEpisodes()
        self.facts = InMemoryFacts(self.episodes)
        self.signals, self.quarantine, self.source_queue = (
            InMemorySignals(),
            InMemoryPoisonMessages(),
            InMemorySourceQueue(),
        )
        self.held_facts = InMemoryReviewQueue(StoppedClock())
        self.fresh = InMemoryUnprocessedMessages(InMemoryConversations(StoppedClock()))
        self.model = observant()
        patch.setattr(metrics.provider, "namespace", "membus")
        self.dead_letters, self.surplus = InMemoryPoisonMessages(), InMemoryOverflowQueue()
        self.usage = InMemoryUsageLedger()
        self.container = Container({"EXTRACT_SHARE": "2", "EXTRACT_MODEL_ID": "scripted"})

    def deliver(self, *records: dict[str, Any], seconds_left: float = 60) -> list[str]:
        container, context = self.container, LambdaInvocation(seconds_left)
        container.conversations.unprocessed = self.fresh
        container.episodes.store = self.episodes
        container.erasure.guard = ErasureGuard(InMemoryErasures())
        container.events.dead_letters = self.dead_letters
        container.events.overflow_queue = self.surplus
        container.events.poison_messages = self.quarantine
        container.events.source_queue = self.source_queue
        container.facts.answers = self.answers
        container.facts.review_queue = self.held_facts
        container.facts.signals = self.signals
        container.facts.store = self.facts
        container.llm = FakeModels(container, self._model)
        container.tenants.settings = NoSettings()
        container.tenants.usage = self.usage
        answer = handler({"Records": list(records)}, context, container)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def learned(self) -> int:
        return len(self.facts.get_profile(ADA).facts)

    def _model(self, task: str, tenant: str) -> ScriptedModel:
        assert (task, tenant) == ("extract", ADA.tenant)
        return self.model


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    return Parts(monkeypatch)


def test_a_batch_that_is_learned_leaves_nothing_to_do(parts: Parts) -> None:
    assert (
        parts.deliver(
            a_record(said("I live in Lisbon"), "m1"), a_record(an_event("e2", type="page.viewed"), "m2")
        )
        == []
    )

    assert parts.facts.get_fact(ADA, "home.city").value == "Lisbon"
    assert parts.source_queue.retries == {}


def test_an_empty_batch_is_no_trouble(parts: Parts) -> None:
    assert parts.deliver() == []
    assert parts.quarantine.parked == []


@pytest.mark.parametrize(("receives", "seconds"), [(1, 10), (2, 40), (4, 640), (5, 900), (50, 900)])
def test_a_part_that_is_down_is_waited_for_longer_each_time(
    parts: Parts, receives: int, seconds: int
) -> None:
    parts.model = DOWN

    assert parts.deliver(a_record(said("I like tea"), "m1", receives=receives)) == ["m1"]

    assert parts.source_queue.retries == {"receipt-m1": seconds}


def test_a_model_that_is_out_for_an_hour_costs_no_dead_letter(parts: Parts) -> None:
    parts.model = DOWN

    for receives in range(1, RECEIVES_MAX + 1):
        parts.deliver(a_record(said("I like tea"), f"m{receives}", receives=receives))

    waits = [
        seconds
        for receipt, seconds in parts.source_queue.retries.items()
        if receipt != f"receipt-m{RECEIVES_MAX}"
    ]
    assert sum(waits) >= 3_600
    assert parts.dead_letters.parked == []


@pytest.mark.parametrize(("receives", "seconds"), [(1, 2), (2, 4), (4, 16)])
def test_a_message_with_a_fault_of_its_own_is_tried_again_soon(
    parts: Parts, receives: int, seconds: int
) -> None:
    parts.model = CUT_OFF

    assert parts.deliver(a_record(said("I like tea"), "m1", receives=receives)) == ["m1"]

    assert parts.source_queue.retries == {"receipt-m1": seconds}


def test_a_message_that_fails_five_times_by_itself_is_dead_with_its_reason(parts: Parts) -> None:
    parts.model = CUT_OFF
    record = a_record(said("I like tea"), "m1", receives=5)

    assert parts.deliver(record) == []

    assert parts.dead_letters.parked == [(record["body"], "model_unusable: the model stopped with None")]


def test_a_queue_that_does_not_listen_keeps_its_own_wait(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*_: object, **__: object) -> None:
        raise UnavailableError("source queue: AccessDenied")

    parts.model = DOWN
    monkeypatch.setattr(parts.source_queue, "delay_retry", deaf)

    assert parts.deliver(a_record(said("I like tea"), "m1")) == ["m1"]


def flood(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        a_record(said(f"I like tea{number}", f"e{number}"), f"m{number}", **more) for number in range(count)
    ]


def test_events_above_the_quota_go_to_the_overflow_queue_and_are_read_there(parts: Parts) -> None:
    records = flood(25)

    assert parts.deliver(*records) == []

    assert parts.surplus.held == [(record["body"], ADA.tenant) for record in records[20:]]
    assert parts.learned() == 20
    aside = [record | {"eventSourceARN": parts.surplus.ARN} for record in records[20:]]
    assert parts.deliver(*aside) == []
    assert (len(parts.surplus.held), parts.learned()) == (5, 25)
    assert parts.usage.get_event_count(ADA.tenant, *[datetime.now(UTC).date()] * 2) == 25


def test_what_the_surplus_queue_does_not_take_is_read_at_once(parts: Parts) -> None:
    parts.surplus.room = 2

    assert parts.deliver(*flood(25)) == []

    assert (len(parts.surplus.held), parts.learned()) == (2, 23)


def test_what_fails_in_the_surplus_queue_comes_back_there(parts: Parts) -> None:
    parts.model = DOWN

    assert parts.deliver(
        *flood(1, receives=2),
    ) == ["m0"]
    assert parts.deliver(
        *(record | {"eventSourceARN": parts.surplus.ARN} for record in flood(1, receives=2))
    ) == ["m0"]

    assert (parts.source_queue.retries, parts.surplus.retries) == ({"receipt-m0": 40}, {"receipt-m0": 40})


def test_a_message_that_no_retry_can_help_is_parked(parts: Parts) -> None:
    assert parts.deliver(a_record("no json", "m1")) == []

    assert parts.quarantine.parked == [("no json", "invalid_json")]


def test_a_log_names_the_message_and_the_trouble_but_not_the_words(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(recorded: Any, **_: object) -> None:
        raise ValueError(recorded.event.payload["text"])

    monkeypatch.setattr(parts.episodes, "record_event", broken)

    assert parts.deliver(a_record(said("my secret"), "m1")) == ["m1"]

    said_of_it = vars(caplog.records[-1])
    assert (said_of_it["message_id"], said_of_it["code"]) == ("m1", "defect")
    assert said_of_it["detail"].startswith("ValueError at ")
    assert "my secret" not in str(said_of_it)


def test_what_is_refused_is_counted(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    parts.model = ScriptedModel(
        '{"facts": [{"event_id": "e1", "subject": "Eva", "attribute": "name", "value": "Eva", "quote": "Eva",'
        ' "kind": "identity", "stance": "stated"}]}'
    )

    parts.deliver(a_record(said("Eva"), "m1"))

    metrics = capsys.readouterr().out
    assert '"CandidatesRefused_third_party":[1.0]' in metrics
    assert '"MessagesReceived":[1.0]' in metrics


def test_the_model_is_left_the_time_that_a_commit_does_not_need(parts: Parts) -> None:
    allowed: list[float] = []

    class Timed(ScriptedModel):
        def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
            allowed.append(timeout_seconds)
            return super().generate_reply(prompt, max_tokens=max_tokens, timeout_seconds=timeout_seconds)

    parts.model = Timed('{"facts": []}')
    for number, seconds in enumerate((60, 20)):
        parts.deliver(a_record(said("I like tea", f"e{number}"), "m1"), seconds_left=seconds)

    assert allowed == [40, 15]
