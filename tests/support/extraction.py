"""What the queue hands to extract, and an extract over in-memory parts that keeps what happened."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

from functions.extract.delivery import RedeliveryPolicy
from functions.extract.model_answers import AnswerCache
from functions.extract.schemas import QueueMessage
from functions.extract.usecase import EXTRACTOR_VERSION, FactExtractor, ParallelMap, extract_batch
from membus.conversations.ports import UnprocessedMessages
from membus.core.event import Event
from membus.core.identity import Owner
from membus.episodes.ports import EpisodeStore
from membus.erasure.guard import ErasureGuard
from membus.facts.ports import AnswerStore, FactStore, ReviewQueue, SignalStore
from membus.llm.ports import LanguageModel
from membus.llm.prompt import Prompt
from scripts.reextraction.signals import InMemorySignals
from tests.factories import ADA
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryPoisonMessages, InMemorySourceQueue
from tests.fakes.facts import InMemoryFacts
from tests.fakes.model import ScriptedModel
from tests.fakes.review_queue import InMemoryReviewQueue
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:membus-test-extract"
NOTHING = '{"facts": []}'


def a_record(
    event: Event | str | dict[str, Any],
    message_id: str = "m1",
    *,
    receives: int = 1,
    taken_at: datetime | None = None,
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
        "eventSourceARN": QUEUE_ARN,
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


class Extraction:
    """The extract function without AWS; `failures` keeps which message failed with which code."""

    def __init__(
        self,
        model: LanguageModel | None = None,
        *,
        episodes: EpisodeStore | None = None,
        facts: FactStore | None = None,
        signals: SignalStore | None = None,
        held_facts: ReviewQueue | None = None,
        fresh: UnprocessedMessages | None = None,
        answers: AnswerStore | None = None,
    ) -> None:
        known = episodes if isinstance(episodes, InMemoryEpisodes) else InMemoryEpisodes()
        self.answers = answers or known
        self.model = model or ScriptedModel(NOTHING)
        self.episodes, self.facts = episodes or known, facts or InMemoryFacts(known)
        self.signals = signals or InMemorySignals()
        self.held_facts = held_facts or InMemoryReviewQueue(StoppedClock())
        self.fresh = fresh or InMemoryUnprocessedMessages(InMemoryConversations(StoppedClock()))
        self.quarantine = InMemoryPoisonMessages()
        self.erasures, self.dropped = InMemoryErasures(), list[str]()
        self.refused: list[str] = []
        self.source, self.dead_letters = InMemorySourceQueue(), InMemoryPoisonMessages()
        self.failures: list[tuple[object, object]] = []
        self.models_loaded = 0
        self.pauses: list[float] = []
        self.pause: Callable[[float], None] = self.pauses.append
        self.seconds: Iterator[float] = repeat(30.0)
        self.side_by_side: ParallelMap = map

    def deliver(self, *messages: QueueMessage, version: str = EXTRACTOR_VERSION) -> list[str]:
        answered = AnswerCache(self.answers, self._load)
        learner = FactExtractor(
            facts=self.facts,
            signals=self.signals,
            held_facts=self.held_facts,
            fresh=self.fresh,
            model=self._load,
            seconds_left=self._seconds_left,
            on_refused=self.refused.append,
            pause=self.pause,
            version=version,
            known=answered.get_answers,
            keep=answered.save_answers,
        )
        return extract_batch(
            messages,
            episodes=self.episodes,
            quarantine=self.quarantine,
            learner=learner,
            redelivery=RedeliveryPolicy(self.source, self.dead_letters, self.quarantine, self._tell),
            gate=ErasureGuard(self.erasures),
            on_erased=self.dropped.append,
            side_by_side=self.side_by_side,
        )

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

    def _tell(self, _: str, fields: dict[str, object]) -> None:
        self.failures.append((fields["message_id"], fields["code"]))

    def _load(self, _tenant: str) -> LanguageModel:
        self.models_loaded += 1
        return self.model
