"""DynamoDB work of a turn at turn 50, 500 and 2,000 of one conversation, on tables like the deployed ones."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.chat.context_loader import preview_context
from functions.summarize.schemas import SummaryDue
from functions.summarize.usecase import Summarizer
from membus.conversations import dynamodb_items as items
from membus.conversations.conversation import MessageIdGenerator
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_replies import DynamoReplyJobs
from membus.conversations.dynamodb_summaries import DynamoSummaries
from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages
from membus.conversations.provenance import TurnMetadata
from membus.facts.dynamodb import DynamoFacts
from tests.benchmarks.aws_calls import AwsCalls, count_calls
from tests.benchmarks.table import Table
from tests.factories import ADA, NOON, a_conversation, a_message, a_turn
from tests.fakes.event_bus import InMemoryEventBus
from tests.fakes.model import ScriptedModel
from tests.strict import strict_aws
from tests.support.tables import make_table
from tests.support.turns import a_chat, a_turn_job

AT = (50, 500, 2_000)
AROUND = 40
"""Turns that are averaged: a window grows and is cut within about as many."""
TALK, ANSWER = "talk", "word " * 150
CHAPTER = (
    '{"summary": "They talked about things.", "entities": [], "intents": [], "decisions": [], "numbers": []}'
)


def work_table() -> Table:
    with strict_aws():
        rows = [_row(at, _average(works)) for at, works in _measured().items()]
    columns = (
        "turn",
        "requests",
        "read units",
        "write units",
        "requests of one context",
        "read units of one context",
    )
    return Table(f"DynamoDB work of a turn, mean of the {AROUND} turns up to it", columns, rows)


def _row(at: int, means: tuple[float, ...]) -> list[str]:
    return [f"{at:,}", *(f"{mean:.2f}" for mean in means)]


def _average(works: list[tuple[AwsCalls, AwsCalls]]) -> tuple[float, ...]:
    figures = [
        (sum(turn.requests.values()), turn.reads, turn.writes, sum(context.requests.values()), context.reads)
        for turn, context in works
    ]
    return tuple(sum(column) / len(figures) for column in zip(*figures, strict=True))


def _measured() -> dict[int, list[tuple[AwsCalls, AwsCalls]]]:
    talk = _Talk()
    found: dict[int, list[tuple[AwsCalls, AwsCalls]]] = {at: [] for at in AT}
    for number in range(1, max(AT) + 1):
        near = next((at for at in AT if at - AROUND < number <= at), None)
        if near is None:
            talk.seed(number)
            continue
        with count_calls(*talk.clients) as context:
            talk.context()
        with count_calls(*talk.clients) as turn:
            talk.turn(number)
        talk.summarise(talk.due.published)
        talk.due.published.clear()
        found[near].append((turn, context))
    return found


class _Talk:
    """A conversation of about 190 tokens a turn; due summaries are written at once and not counted."""

    def __init__(self) -> None:
        memory, conversations = make_table("memory"), make_table("conversations")
        self.clients = [memory.meta.client, conversations.meta.client]
        self.now: datetime = NOON
        self._ids = MessageIdGenerator()
        self._store = DynamoConversations(conversations, lambda: self.now)
        self._table, self._summaries, self.due = (
            conversations,
            DynamoSummaries(conversations),
            InMemoryEventBus(),
        )
        self._store.create_conversation(a_conversation(TALK), request_key="first")
        self._chat = a_chat(
            conversations=self._store,
            summaries=self._summaries,
            facts=DynamoFacts(memory),
            unprocessed=DynamoUnprocessedMessages(conversations, lambda: self.now),
            model=ScriptedModel(ANSWER),
            clock=lambda: self.now,
            jobs=DynamoReplyJobs(conversations, lambda: self.now),
            announcements=lambda: self.due,
        )

    def context(self) -> None:
        talk = self._chat.guard.load_conversation(ADA.tenant, TALK, self._store)
        preview_context(self._chat.loader, talk, "What did we say?", author=ADA.user, now=self.now)

    def turn(self, number: int) -> None:
        self.now += timedelta(hours=1)
        self._chat.answer(
            a_turn_job(
                _content(number),
                conversation_id=TALK,
                key=str(number),
                ids=self._ids,
                clock=lambda: self.now,
            )
        )

    def seed(self, number: int) -> None:
        """Store a turn item by item: the emulator copies the whole table for each transaction."""
        self.now += timedelta(hours=1)
        user, wise = (
            a_message(text, message_id=self._ids.next_id(self.now)) for text in (_content(number), ANSWER)
        )
        turn = a_turn().model_copy(
            update={"user": user, "assistant": wise.model_copy(update={"role": "assistant"})}
        )
        for message in (turn.user, turn.assistant):
            self._table.put_item(Item=items.message_item(ADA.tenant, TALK, message))
        update, values = items.counters_update(turn, TurnMetadata())
        values.pop(":first")
        self._table.update_item(
            Key=items.conversation_key(ADA.tenant, TALK),
            UpdateExpression=update,
            ExpressionAttributeValues=values,
        )
        if number % 5 == 0:
            self.summarise([turn])

    def summarise(self, due: Sequence[object]) -> None:
        for _ in due:
            Summarizer(
                conversations=self._store,
                summaries=self._summaries,
                model=lambda _: ScriptedModel(CHAPTER),
                clock=lambda: self.now,
                seconds_left=lambda: 10.0,
            ).advance_summary(SummaryDue(tenant_id=ADA.tenant, conversation_id=TALK))


def _content(number: int) -> str:
    return f"This is turn {number:06d} of a long talk. " + "word " * 20
