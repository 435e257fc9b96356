"""A conversation of a data set through the chat service: its answers are replayed, its summaries written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from functions.chat.context import PromptContext
from functions.chat.context_loader import preview_context
from functions.chat.tools import registry
from functions.summarize.schemas import SummaryDue
from functions.summarize.usecase import Summarizer
from localstack.model.tokens import count
from membus.conversations.recall import RecalledPassage
from membus.core.identity import MemorySource, Owner
from membus.core.tokens import TokenUsage, estimate_tokens
from membus.llm.ports import LanguageModel
from membus.llm.prompt import ModelReply, Prompt
from membus.search.query import parse_query
from membus.search.ranking import rank_passages
from tests.benchmarks.search.data import ASKED, TENANT, Case, Message, found_ids
from tests.benchmarks.search.store import Store
from tests.benchmarks.search.vectors import KeptVectors
from tests.factories import a_conversation
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.event_bus import InMemoryEventBus
from tests.fakes.facts import InMemoryFacts
from tests.fakes.model import ScriptedModel
from tests.fakes.summaries import InMemorySummaries
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages
from tests.support.turns import a_chat, a_turn_job

TALK = "talk"
MESSAGE_TOKENS = 480


@dataclass(frozen=True)
class Exchange:
    """A message of the user with its answer; `asked` and `answered` are messages of the data set."""

    asked: Sequence[Message]
    answered: Sequence[Message]

    @property
    def content(self) -> str:
        """Return the user's words, cut to the length that the API accepts."""
        words = "\n".join(message.text for message in self.asked).split(" ")
        while estimate_tokens(" ".join(words)) > MESSAGE_TOKENS:
            words = words[: int(len(words) * 0.95)]
        return " ".join(words) or "…"


def exchanges(case: Case) -> Iterator[Exchange]:
    """Pair messages with their answers; the first speaker of a conversation is its user."""
    first = case.messages[0].speaker
    sides = [list(said) for _, said in groupby(case.messages, key=lambda message: message.speaker == first)]
    for asked, answered in zip(sides[::2], sides[1::2], strict=False):
        yield Exchange(asked, answered)


class Search:
    """The search of production over the messages before a moment; there are no facts."""

    def __init__(self, case: Case, vectors: KeptVectors) -> None:
        entries = case.entries()
        self._store = Store(
            entries, vectors.embed_texts([part.embedded_text for each in entries for part in each.passages])
        )
        self._vectors = vectors
        self.until: datetime = ASKED
        self._last: tuple[str, datetime, list[RecalledPassage]] = ("", ASKED, [])

    def search(self, owner: Owner, message: str, *, agent: str, limit: int) -> list[RecalledPassage]:
        if self._last[:2] == (message, self.until) and len(self._last[2]) >= limit:
            return self._last[2][:limit]
        query = parse_query(message[:2_000], now=self.until.date())
        rows, scope = self._store.gather(query, self._vectors.embed_texts([query.text])[0])
        past = [row for row in rows if row.occurred_at < self.until]
        found = [
            RecalledPassage(
                memory_id=each.row.group_id,
                kind="episode",
                text=f"{each.row.speaker}: {each.row.text}",
                occurred_at=each.row.occurred_at,
                source=MemorySource(),
                score=each.score,
            )
            for each in rank_passages(query, past, scope, limit=limit)
        ]
        self._last = (message, self.until, found)
        return found

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        raise AssertionError("no turn of a benchmark asks for passages by id")


class Replay(ScriptedModel):
    """Replies with the answers of the data set, and counts tokens as the local model does."""

    def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
        reply = super().generate_reply(prompt, max_tokens=max_tokens, timeout_seconds=timeout_seconds)
        return reply.model_copy(
            update={"usage": TokenUsage(input=true_count(prompt), output=count(reply.text))}
        )


class Talk:
    """A conversation in the chat service; `summarizer` writes each due summary at once and may be lossy."""

    def __init__(self, case: Case, vectors: KeptVectors, summarizer: LanguageModel) -> None:
        self.search, self.now = Search(case, vectors), case.messages[0].occurred_at
        self.conversations = InMemoryConversations(lambda: self.now, a_conversation(TALK, tenant_id=TENANT))
        self.summaries, self.due = InMemorySummaries(self.conversations), InMemoryEventBus()
        self.said: dict[str, Sequence[Message]] = {}
        self._summarizer = summarizer
        self._answer = ""
        facts, fresh = (
            InMemoryFacts(InMemoryEpisodes()),
            InMemoryUnprocessedMessages(InMemoryConversations(lambda: self.now)),
        )
        self.chat = a_chat(
            conversations=self.conversations,
            summaries=self.summaries,
            facts=facts,
            unprocessed=fresh,
            model=Replay(lambda _: self._answer),
            clock=lambda: self.now,
            search=self.search,
            tools=registry.list_definitions(),
            announcements=lambda: self.due,
        )

    def context(self, message: str) -> PromptContext:
        talk = self.conversations.get_conversation(TENANT, TALK)
        return preview_context(self.chat.loader, talk, message, author="ada", now=self.now)

    def play_exchange(self, exchange: Exchange, number: int) -> None:
        """Answer the message of an exchange, and write the summary that is then due."""
        self.now = max(exchange.asked[0].occurred_at, self.now + timedelta(milliseconds=2))
        self.search.until = self.now
        self._answer = "\n".join(message.text for message in exchange.answered) or "…"
        author = Owner(tenant=TENANT, user="ada")
        turn = self.chat.answer(
            a_turn_job(
                exchange.content,
                author=author,
                conversation_id=TALK,
                key=str(number),
                ids=self.chat.ids,
                clock=lambda: self.now,
            )
        )
        self.said |= {turn.user.message_id: exchange.asked, turn.assistant.message_id: exchange.answered}
        for _ in self.due.published:
            Summarizer(
                conversations=self.conversations,
                summaries=self.summaries,
                model=lambda _: self._summarizer,
                clock=lambda: self.now,
                seconds_left=lambda: 60.0,
            ).advance_summary(SummaryDue(tenant_id=TENANT, conversation_id=TALK))
        self.due.published.clear()

    def evidence(self, made: PromptContext) -> set[str]:
        """Return the ids of the messages of the data set that are in the window or were recalled."""
        window = {said.id for message in made.window for said in self.said[message.message_id]}
        return window | set(found_ids(passage.memory_id for passage in made.recalled))


def true_count(prompt: Prompt) -> int:
    said = sum(count(said.text) + 4 for said in prompt.messages) + sum(
        count(block.text) for block in prompt.system
    )
    return said + sum(count(tool.model_dump_json()) for tool in prompt.tools)
