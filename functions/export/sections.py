"""What there is of a user, file by file, in an order that does not depend on when it is asked for."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, get_args

from membus.domain.conversation import Conversation, Status
from membus.domain.episode import EpisodeQuery
from membus.domain.event import EARLIEST, LATEST, Recorded
from membus.domain.facts import by_key, fold, history
from membus.domain.identity import Owner
from membus.domain.memory import scope_of
from membus.domain.pages import Page
from membus.domain.retrieval import Within
from membus.ports.conversations import ConversationStore
from membus.ports.documents import DocumentStore
from membus.ports.episodes import EpisodeReader
from membus.ports.facts import FactReader
from membus.ports.held_facts import HeldFacts
from membus.ports.memories import MemoryIndex
from membus.ports.summaries import OutlineReader

T = TypeVar("T")
PAGE = 200
Row = dict[str, Any]
Turning = Callable[[dict[str, str] | None], Page[T]]
"""Turns to the page behind a place."""


@dataclass(frozen=True)
class Sources:
    """Where a user's data lies; `episodes` reads hot and cold as one."""

    episodes: EpisodeReader
    facts: FactReader
    conversations: ConversationStore
    summaries: OutlineReader
    documents: DocumentStore
    index: MemoryIndex
    held_facts: HeldFacts
    now: Callable[[], datetime]


def events(owner: Owner, sources: Sources) -> Iterator[Row]:
    """Yield each event as it was recorded, in time order, wherever it lies."""
    wanted = EpisodeQuery(tenant=owner.tenant, user_id=owner.user, start=EARLIEST, end=LATEST)
    for episode in _every(lambda after: sources.episodes.page(wanted, limit=PAGE, after=after)):
        recorded = Recorded(event=episode.event, learned_at=episode.learned_at)
        yield recorded.model_dump(mode="json", by_alias=True, exclude={"extracted"})


def facts(owner: Owner, sources: Sources) -> Iterator[Row]:
    """Yield each key with the fact that holds, taken back ones included, and every observation that led to it."""
    for key, seen in sorted(by_key(sources.facts.observations(owner)).items()):
        fact = fold(seen)
        versions = [version.model_dump(mode="json") for version in history(seen)]
        yield {"key": key, "fact": fact and fact.model_dump(mode="json"), "history": versions}


def conversations(owner: Owner, sources: Sources) -> Iterator[Row]:
    """Yield a line for each conversation, message, summary and ledger of slots.

    Of a conversation that belongs to somebody else the user takes along what they said themselves.
    """
    for conversation in _theirs(owner, sources):
        yield {"kind": "conversation"} | conversation.model_dump(mode="json")
        mine = conversation.user_id == owner.user
        for row in _inside(owner.tenant, conversation.conversation_id, sources):
            if mine or (row["kind"] == "message" and row["author"] == owner.user):
                yield row


def documents(owner: Owner, sources: Sources) -> Iterator[Row]:
    within = Within(tenant_id=owner.tenant, now=sources.now(), scope=scope_of(owner.user, None), kinds=("document",))
    ids = sorted(_every(lambda after: sources.index.documents(within, limit=PAGE, after=after)))
    for start in range(0, len(ids), PAGE):
        found = sources.documents.documents(owner.tenant, ids[start : start + PAGE])
        yield from (document.model_dump(mode="json") for document in found)


def quarantine(owner: Owner, sources: Sources) -> Iterator[Row]:
    held = _every(lambda after: sources.held_facts.page(owner, limit=PAGE, after=after))
    yield from (each.model_dump(mode="json") for each in held)


def as_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _theirs(owner: Owner, sources: Sources) -> list[Conversation]:
    found = [each for status in get_args(Status) for each in _every(_of_status(owner, sources, status))]
    return sorted(found, key=lambda each: each.conversation_id)


def _of_status(owner: Owner, sources: Sources, status: Status) -> Turning[Conversation]:
    return lambda after: sources.conversations.page(owner.tenant, status, user=owner.user, limit=PAGE, after=after)


def _inside(tenant: str, conversation_id: str, sources: Sources) -> Iterator[Row]:
    said = _every(lambda after: sources.conversations.messages(tenant, conversation_id, limit=PAGE, after=after))
    told = _every(lambda after: sources.summaries.summaries(tenant, conversation_id, limit=PAGE, after=after))
    about = {"conversation_id": conversation_id}
    yield from ({"kind": "message"} | about | each.model_dump(mode="json") for each in said)
    yield from ({"kind": "summary"} | about | each.model_dump(mode="json") for each in told)
    outline = sources.summaries.outline(tenant, conversation_id)
    if outline.border.version:
        yield {"kind": "slots"} | about | outline.model_dump(mode="json")


def _every(page: Turning[T]) -> Iterator[T]:
    after: dict[str, str] | None = None
    while True:
        found = page(after)
        yield from found.items
        if found.after is None:
            return
        after = found.after
