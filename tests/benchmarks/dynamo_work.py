"""What an event, a profile read and a chat turn cost in DynamoDB: requests and units, counted, not timed."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from functions.chat.api import MessageIn
from functions.chat.gathering import Gatherer
from functions.chat.usecase import Chat
from functions.extract.api import QueueMessage
from functions.extract.learning import Learner
from functions.extract.redelivery import Redelivery
from functions.extract.usecase import extract_batch
from membus.adapters.dynamo_conversations import DynamoConversations
from membus.adapters.dynamo_episodes import DynamoEpisodes
from membus.adapters.dynamo_erasures import DynamoErasures
from membus.adapters.dynamo_facts import DynamoFacts
from membus.adapters.dynamo_fresh import DynamoFresh
from membus.adapters.dynamo_held_facts import DynamoHeldFacts
from membus.adapters.dynamo_signals import DynamoSignals
from membus.adapters.dynamo_summaries import DynamoSummaries
from membus.domain.conversation import MessageIds
from membus.domain.event import Event
from membus.domain.prompt import Prompt
from membus.domain.window import MESSAGES_MAX
from membus.erasing import Gate, HeardErasures
from membus.hot import HotConversations
from membus.ports.conversations import ConversationStore
from tests.benchmarks.dynamo_units import Work
from tests.benchmarks.table import Table
from tests.factories import ADA, NOON, a_conversation, a_server_error, a_setting, an_event, said
from tests.fakes.bus import InMemoryBus, InMemoryQuarantine, InMemorySource
from tests.fakes.contents import InMemoryContents
from tests.fakes.hot_tier import InMemoryHotTier
from tests.fakes.model import ScriptedModel
from tests.fakes.recollection import InMemoryRecollection
from tests.strict import strict_aws
from tests.tables import make_table
from tests.toolboxes import no_results, no_tools

EVENT_ID = re.compile(r'"event_id": "([^"]+)"')


def measure() -> Table:
    """Run the real use cases over the real adapters, once each, on tables like the deployed ones."""
    with strict_aws():
        stores = _Stores()
        rows = [
            _row("a page view (recorded, no rule concerns it)", stores, lambda: stores.extract(_page_view("/home"))),
            _row("a page view that two rules count", stores, lambda: stores.extract(_page_view("/recipes/soup"))),
            _row("a click that two rules count", stores, lambda: stores.extract(_click())),
            _row("a changed setting (a rule, no model)", stores, lambda: stores.extract(a_setting("s1"))),
            _row("a server error (a rule that counts)", stores, lambda: stores.extract(a_server_error("x1"))),
            _row("a message with a fact, alone", stores, lambda: stores.extract(said("I live in Lisbon.", "m0"))),
            _row("a message with a fact, in a batch of ten", stores, lambda: stores.extract(*_ten()), share=10),
            _row("the same event once more", stores, lambda: stores.extract(a_setting("s1"))),
            _row("a profile read", stores, lambda: stores.facts.profile(ADA)),
            _row("a chat turn, before the model", stores, stores.context),
            _row("a chat turn, whole (turn 50)", stores, stores.turn),
            _row("the window alone", stores, lambda: stores.window(stores.conversations)),
            _row("the window alone, hot tier cold", stores, lambda: stores.window(stores.hot)),
            _row("the window alone, hot tier warm", stores, lambda: stores.window(stores.hot)),
        ]
    columns = ("what", "requests", "write units", "read units", "dollars per million")
    return Table("DynamoDB work, counted", columns, rows)


class _Stores:
    def __init__(self) -> None:
        memory, conversations = make_table("memory"), make_table("conversations")
        tenants = make_table("tenants")
        self.clients = [memory.meta.client, conversations.meta.client, tenants.meta.client]
        self.gate = Gate(HeardErasures(DynamoErasures(tenants), lambda: NOON))
        self.facts, self.episodes = DynamoFacts(memory), DynamoEpisodes(memory, InMemoryContents())
        self.signals, self.held_facts = DynamoSignals(memory), DynamoHeldFacts(memory, lambda: NOON)
        store = DynamoConversations(conversations, lambda: NOON)
        self.conversations, self.hot = store, HotConversations(store, InMemoryHotTier())
        self.fresh = DynamoFresh(conversations, lambda: NOON)
        store.create(a_conversation(), request_key="first")
        self.chat = Chat(
            gatherer=Gatherer(
                conversations=store, summaries=DynamoSummaries(conversations), facts=self.facts, fresh=self.fresh,
                recollection=InMemoryRecollection(), pool=ThreadPoolExecutor(6),
            ),
            gate=self.gate, conversations=store, bus=InMemoryBus(), announcements=InMemoryBus,
            model=lambda _: ScriptedModel("Bom dia!"), clock=lambda: NOON, seconds_left=lambda: 10.0,
            toolbox=no_tools, results=no_results(), ids=MessageIds(),
        )  # fmt: skip
        for number in range(49):
            self.turn(str(number))
        self.gate.admit(ADA)  # heard of within the minute

    def window(self, conversations: ConversationStore) -> None:
        conversations.recent(ADA.tenant, a_conversation().conversation_id, limit=MESSAGES_MAX)

    def extract(self, *events: Event) -> None:
        learner = Learner(
            facts=self.facts, signals=self.signals, held_facts=self.held_facts, fresh=self.fresh,
            model=lambda _: ScriptedModel(_a_fact_each), seconds_left=lambda: 10.0, on_refused=lambda _: None,
            pause=lambda _: None,
        )  # fmt: skip
        extract_batch(
            [_message(event) for event in events],
            episodes=self.episodes, quarantine=InMemoryQuarantine(), learner=learner,
            redelivery=Redelivery(InMemorySource(), InMemoryQuarantine(), InMemoryQuarantine(), lambda *_: None),
            gate=self.gate, on_erased=lambda _: None,
        )  # fmt: skip

    def context(self) -> None:
        self.chat.context(ADA.tenant, a_conversation().conversation_id, "How are you?", author=ADA.user)

    def turn(self, key: str = "last") -> None:
        asked = MessageIn(content="What would you cook with pumpkin tonight?", author=ADA.user)
        self.chat.answer(ADA.tenant, a_conversation().conversation_id, asked, request_key=key)


def _row(what: str, stores: _Stores, act: Callable[[], object], *, share: int = 1) -> tuple[str, ...]:
    with counting(stores.clients) as work:
        act()
    requests = ", ".join(f"{count / share:g} {name}" for name, count in work.requests.items())
    return what, requests, f"{work.writes / share:g}", f"{work.reads / share:g}", f"{work.dollars / share * 1e6:.2f}"


@contextmanager
def counting(clients: Sequence[Any]) -> Iterator[Work]:
    """Count what these DynamoDB clients are asked until the block ends."""
    work, sent = Work(), {}

    def before(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        sent[id(context)] = json.loads(params["body"])

    def after(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        work.count(model.name, sent[id(context)], parsed)

    for client in clients:
        client.meta.events.register_first("before-call.dynamodb", before, unique_id="count-sent")
        client.meta.events.register_last("after-call.dynamodb", after, unique_id="count-got")
    yield work
    for client in clients:
        client.meta.events.unregister("before-call.dynamodb", unique_id="count-sent")
        client.meta.events.unregister("after-call.dynamodb", unique_id="count-got")


def _a_fact_each(prompt: Prompt) -> str:
    facts = [
        {"event_id": event_id, "subject": "user", "attribute": "home.city", "value": "Lisbon",
         "quote": "I live in Lisbon", "kind": "place", "stance": "stated"}
        for event_id in EVENT_ID.findall(prompt.messages[-1].text)
    ]  # fmt: skip
    return json.dumps({"facts": facts})


def _message(event: Event) -> QueueMessage:
    body = {
        "time": (event.occurred_at + timedelta(seconds=1)).isoformat(),
        "detail": json.loads(event.model_dump_json(by_alias=True)),
    }
    return QueueMessage.model_validate(
        {"messageId": event.event_id, "receiptHandle": "r", "eventSourceARN": "q", "body": json.dumps(body)}
    )


def _page_view(path: str) -> Event:
    return an_event(f"p{path.replace('/', '-')}", type="page.viewed", payload={"path": path})


def _click() -> Event:
    return an_event("c1", type="element.clicked", payload={"name": "buy"})


def _ten() -> list[Event]:
    return [said("I live in Lisbon.", f"batch-{number}") for number in range(10)]
