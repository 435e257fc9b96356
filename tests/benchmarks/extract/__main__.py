"""`make bench-extract DATA=file`: model calls, tokens and facts of a LoCoMo file, also with copies of events.

Every turn is an event of its speaker. The real client calls the local model server over HTTP; the stores are
in memory.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anthropic import Anthropic
from rich.console import Console

from membus.core.event import Event
from membus.llm.claude import ClaudeClient
from membus.llm.clients import StructuredModel
from membus.llm.ports import ModelRequest
from membus.llm.prompt import ModelReply
from scripts.demo import sources
from tests.benchmarks.table import Table, show
from tests.factories import NOON
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.facts import InMemoryFacts
from tests.support.event_streams import DeliveryFaults, deliver, stored_in_memory
from tests.support.extraction import Extraction
from tests.support.model_server import model_server

BATCHES = (10, 20, 50)
TARGET = 0.15
"""Model calls for each event at ten events in a batch, whoever they are of."""


class Counted:
    """A model client that counts its replies and their tokens."""

    def __init__(self, speaker: ClaudeClient) -> None:
        self._speaker, self.name = speaker, speaker.name
        self.calls, self.tokens = 0, 0

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        reply = self._speaker.generate_reply(question)
        self.calls += 1
        self.tokens += (
            reply.usage.input + reply.usage.cache_read + reply.usage.cache_write + reply.usage.output
        )
        return reply

    def stream_reply(self, question: ModelRequest) -> Iterator[Any]:
        return self._speaker.stream_reply(question)


@dataclass
class Run:
    """One way of delivering the events: its calls, its tokens and the facts."""

    name: str
    events: int
    speaker: Counted
    extraction: Extraction
    conversations: InMemoryConversations = field(
        default_factory=lambda: InMemoryConversations(StoppedClock(NOON))
    )

    @property
    def calls_each(self) -> float:
        return self.speaker.calls / self.events

    def state(self) -> bytes:
        return stored_in_memory(self.extraction, self.conversations)

    def row(self) -> tuple[str, ...]:
        spent = self.speaker.tokens / self.events
        return (
            self.name,
            str(self.events),
            str(self.speaker.calls),
            f"{self.calls_each:.3f}",
            f"{spent:.0f}",
            str(self.facts),
            str(self.duplicates),
            str(len(self.extraction.poison_messages.parked)),
        )

    @property
    def facts(self) -> int:
        return sum(map(len, self._known()))

    @property
    def duplicates(self) -> int:
        """Facts of one user whose attribute and value another one has too."""
        return sum(count - 1 for known in self._known() for count in Counter(known).values())

    def _known(self) -> list[list[tuple[str, str]]]:
        assert isinstance(self.extraction.facts, InMemoryFacts)
        return [
            [(key.split(".")[0], (fact.value or "").casefold()) for key, fact in mine.items()]
            for mine in self.extraction.facts._facts.values()
        ]


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "data/locomo_dev.json")
    if not path.is_file():
        sys.exit(f"bench-extract: {path} is no file; DATA= names a LoCoMo file")
    document = json.loads(path.read_text(encoding="utf-8"))
    if not sources.is_locomo(document):
        sys.exit(f"bench-extract: {path} holds no LoCoMo conversations")
    talks = [_events(document, number) for number in range(1, len(document) + 1)]
    with model_server() as url, Anthropic(api_key="bench", base_url=url, max_retries=0) as client:
        _measure(talks, lambda: Counted(ClaudeClient(client, "local")))


def _measure(talks: Sequence[Sequence[Event]], speaker: Callable[[], Counted]) -> None:
    events, console = [event for talk in talks for event in talk], Console(width=140)
    users = sorted({event.user_id for event in events})
    alone = [[event for event in events if event.user_id == user] for user in users]
    runs = [_run(f"each user's events, {size} a batch", alone, size, speaker()) for size in BATCHES[:1]]
    runs += [_run(f"two speakers as they talk, {size} a batch", talks, size, speaker()) for size in BATCHES]
    calm = runs[0]
    storm = _started("every event five times, shuffled", len(events), speaker())
    deliver(storm.extraction, events, DeliveryFaults(copies=5, at_least=5, seed=1))
    columns = ("delivered", "events", "calls", "calls/event", "tokens/event", "facts", "duplicates", "parked")
    rows = [run.row() for run in [*runs, storm]]
    show(Table(f"extraction of {len(talks)} conversations", columns, rows), console)
    same = all(run.state() == calm.state() for run in [*runs, storm])
    console.print(f"state after every way of delivery: {'identical' if same else 'DIFFERENT'}")
    for run in runs[:2]:
        console.print(f"calls/event, {run.name}: {run.calls_each:.3f} (target {TARGET})")


def _run(name: str, streams: Sequence[Sequence[Event]], size: int, speaker: Counted) -> Run:
    run = _started(name, sum(map(len, streams)), speaker)
    for stream in streams:
        for start in range(0, len(stream), size):
            run.extraction.send(*stream[start : start + size])
    return run


def _started(name: str, events: int, speaker: Counted) -> Run:
    return Run(name, events, speaker, Extraction(StructuredModel(speaker)))


def _events(document: Any, number: int) -> list[Event]:
    source = sources.read_locomo(document, number)
    return [Event.model_validate({"tenant_id": "bench", "origin": "api"} | each) for each in source.events]


if __name__ == "__main__":
    main()
