"""What the queue hands to extract, and an extract over in-memory parts that keeps what happened."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

from functions.extract.ports import ExtractPorts, ParallelMap
from functions.extract.schemas import QueueMessage
from functions.extract.usecase import extract_batch
from membus.conversations.ports import UnprocessedMessages
from membus.core.event import Event
from membus.core.identity import Owner
from membus.episodes.ports import EpisodeStore
from membus.erasure.guard import ErasureGuard
from membus.erasure.ports import Erasures
from membus.facts.ports import AnswerStore, FactStore, ReviewQueue, SignalStore
from membus.llm.ports import LanguageModel
from membus.llm.prompt import Prompt
from membus.tenants.model import RateLimit
from membus.tenants.ports import UsageLedger
from membus.tenants.quotas import TenantQuotas
from scripts.reextraction.signals import InMemorySignals
from tests.factories import ADA
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryOverflowQueue, InMemoryPoisonMessages, InMemorySourceQueue
from tests.fakes.facts import InMemoryFacts
from tests.fakes.model import ScriptedModel
from tests.fakes.review_queue import InMemoryReviewQueue
from tests.fakes.settings import InMemorySettings
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages
from tests.fakes.usage import InMemoryUsageLedger

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:membus-test-extract"
NOTHING = '{"facts": []}'


def a_record(
    event: Event | str | dict[str, Any],
    message_id: str = "m1",
    *,
    receives: int = 1,
    taken_at: datetime | None = None,
    queue_arn: str = QUEUE_ARN,
) -> dict[str, Any]:
    """Return a queue record as Lambda gets it; the bus took the event a second after it happened."""
    if isinstance(event, Event):
        taken = taken_at or event.occurred_at + timedelta(seconds=1)
        detail = event.model_dump(mode="json", by_alias=True)
        event = {"source": "membus.events", "time": taken.isoformat(), "detail": detail}
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt-{message_id}",
        "body": event if isinstance(event, str) else json.dumps(event),
        "eventSourceARN": queue_arn,
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def a_message(event: Event | str | dict[str, Any], message_id: str = "m1", **more: Any) -> QueueMessage:
    return QueueMessage.model_validate(a_record(event, message_id, **more))


def proposing(**facts: dict[str, Any]) -> ScriptedModel:
    """Return a model that proposes, for each event id it is shown, the candidate given under that id."""

    def read(prompt: Prompt) -> str:
        return json.dumps(
            {"facts": [facts[each["event_id"]] for each in shown(prompt) if each["event_id"] in facts]}
        )

    return ScriptedModel(read)


def observant() -> ScriptedModel:
    """Return a model that reads `I live in X.` and `I like X.` wherever it stands, as a pure function of the words."""

    def read(prompt: Prompt) -> str:
        return json.dumps({"facts": [fact for each in shown(prompt) for fact in _read(each)]})

    return ScriptedModel(read)


def shown(prompt: Prompt) -> list[dict[str, Any]]:
    """Return the events that a prompt of extract shows the model."""
    lines = prompt.messages[0].text.splitlines()
    assert (lines[0], lines[-1]) == ("<events>", "</events>")
    return [json.loads(line) for line in lines[1:-1]]


def _read(event: dict[str, Any]) -> list[dict[str, Any]]:
    attributes = {"I live in ": "home.city", "I like ": "likes"}
    return [
        {
            "event_id": event["event_id"],
            "subject": "user",
            "attribute": attribute,
            "quote": sentence,
            "value": sentence.removeprefix(start),
            "kind": "preference",
            "stance": "stated",
        }
        for sentence in event["text"].split(". ")
        for start, attribute in attributes.items()
        if sentence.startswith(start)
    ]


class RecordingExtractMonitor:
    """Keeps the reasons of refused candidates, the tenants of erased events, and the log."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.counts: dict[str, int] = {}
        self.log: list[tuple[str, dict[str, object]]] = []

    def count_metric(self, name: str, value: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + value
        if name.startswith("CandidatesRefused_"):
            self.refused.append(name.removeprefix("CandidatesRefused_"))

    def log_info(self, message: str, **fields: object) -> None:
        self.log.append((message, fields))

    def log_warning(self, message: str, **fields: object) -> None:
        self.log.append((message, fields))


class Extraction:
    """The extract function without AWS; `failures` keeps which message failed with which code."""

    def __init__(
        self,
        model: LanguageModel | None = None,
        *,
        episodes: EpisodeStore | None = None,
        facts: FactStore | None = None,
        signals: SignalStore | None = None,
        review_queue: ReviewQueue | None = None,
        unprocessed: UnprocessedMessages | None = None,
        answers: AnswerStore | None = None,
        erasures: Erasures | None = None,
        usage: UsageLedger | None = None,
        quota: RateLimit | None = None,
    ) -> None:
        known = episodes if isinstance(episodes, InMemoryEpisodes) else InMemoryEpisodes()
        self.answers = answers or known
        self.model = model or ScriptedModel(NOTHING)
        self.episodes, self.facts = episodes or known, facts or InMemoryFacts(known)
        self.signals = signals or InMemorySignals()
        self.review_queue = review_queue or InMemoryReviewQueue(StoppedClock())
        self.unprocessed = unprocessed or InMemoryUnprocessedMessages(InMemoryConversations(StoppedClock()))
        self.poison_messages, self.dead_letters = InMemoryPoisonMessages(), InMemoryPoisonMessages()
        self.source_queue, self.overflow_queue = InMemorySourceQueue(), InMemoryOverflowQueue()
        self.erasures, self.usage = erasures or InMemoryErasures(), usage or InMemoryUsageLedger()
        self.quotas = TenantQuotas(quota or RateLimit(per_second=1_000_000), StoppedClock())
        self.settings = InMemorySettings()
        self.monitor = RecordingExtractMonitor()
        self.models_loaded = 0
        self.pauses: list[float] = []
        self.pause: Callable[[float], None] = self.pauses.append
        self.seconds: Iterator[float] = repeat(30.0)
        self.run_parallel: ParallelMap = map

    def ports(self) -> ExtractPorts:
        return ExtractPorts(
            facts=self.facts,
            signals=self.signals,
            review_queue=self.review_queue,
            unprocessed=self.unprocessed,
            answers=self.answers,
            model=self._load,
            model_id=self.model.name,
            monitor=self.monitor,
            seconds_left=self._seconds_left,
            sleep=self.pause,
            settings=self.settings,
            episodes=self.episodes,
            erasures=ErasureGuard(self.erasures),
            source_queue=self.source_queue,
            overflow_queue=self.overflow_queue,
            poison_messages=self.poison_messages,
            dead_letters=self.dead_letters,
            usage=self.usage,
            quotas=self.quotas,
            clock=StoppedClock(),
            run_parallel=self.run_parallel,
        )

    @property
    def refused(self) -> list[str]:
        return self.monitor.refused

    @property
    def failures(self) -> list[tuple[object, object]]:
        return [(fields["message_id"], fields["code"]) for _, fields in self.monitor.log if "code" in fields]

    @property
    def dropped(self) -> list[object]:
        """The tenants whose erased events were dropped."""
        return [fields["tenant_id"] for message, fields in self.monitor.log if "erased event" in message]

    def deliver(self, *messages: QueueMessage) -> list[str]:
        return extract_batch(messages, self.ports())

    def send(self, *events: Event) -> list[str]:
        """Deliver each event once, all in one batch."""
        return self.deliver(*(a_message(event, f"m-{event.event_id}") for event in events))

    def known(self, owner: Owner = ADA) -> dict[str, str | None]:
        return {fact.key: fact.value for fact in self.facts.get_profile(owner).facts}

    def prompts(self) -> Sequence[Prompt]:
        assert isinstance(self.model, ScriptedModel)
        return self.model.prompts

    def _seconds_left(self) -> float:
        return next(self.seconds)

    def _load(self, _tenant: str) -> LanguageModel:
        self.models_loaded += 1
        return self.model
