"""What there is of a user, file by file, in an order that does not depend on when it is asked for."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from membus.domain.episode import Episode, EpisodeQuery
from membus.domain.event import EARLIEST, LATEST, RecordedEvent
from membus.domain.facts import fold, group_by_key, list_versions
from membus.domain.identity import Owner
from membus.domain.memory import memory_scope
from membus.domain.observations import Observation
from membus.domain.pages import Page
from membus.domain.retrieval import SearchScope
from membus.domain.state import AgentSession
from membus.errors import NotFoundError
from membus.ports.contents import BlobStore
from membus.ports.conversations import ConversationStore
from membus.ports.documents import DocumentStore
from membus.ports.episodes import EpisodeReader
from membus.ports.facts import FactReader
from membus.ports.held_facts import ReviewQueue
from membus.ports.memories import MemoryIndex
from membus.ports.states import StateStore
from membus.ports.summaries import SummaryReader

T = TypeVar("T")
PAGE_ROWS = 200
Row = dict[str, Any]
After = dict[str, str] | None
PageReader = Callable[[After], Page[T]]
"""Turns to the page behind a place."""


@dataclass(frozen=True)
class ExportSources:
    """Where a user's data lies; `episodes` reads hot and cold as one."""

    episodes: EpisodeReader
    facts: FactReader
    conversations: ConversationStore
    summaries: SummaryReader
    documents: DocumentStore
    index: MemoryIndex
    held_facts: ReviewQueue
    states: StateStore
    contents: BlobStore
    now: Callable[[], datetime]


@dataclass(frozen=True)
class RowChunk:
    """Some rows, and behind what the next ones come: None behind the last. `sessions` are those of events."""

    rows: list[Row]
    after: dict[str, str] | None
    sessions: tuple[AgentSession, ...] = ()


def events(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    """Yield each event as it was recorded, in time order, wherever it lies."""
    wanted = EpisodeQuery(tenant=owner.tenant, user_id=owner.user, start=EARLIEST, end=LATEST)
    for page in _pages(lambda place: sources.episodes.page(wanted, limit=PAGE_ROWS, after=place), after):
        yield RowChunk(
            [_event(episode) for episode in page.items],
            page.after,
            tuple(
                AgentSession(tenant=owner.tenant, agent=each.event.agent_id, session_id=each.event.session_id)
                for each in page.items
                if each.event.session_id
            ),
        )


def states(owner: Owner, sessions: Iterable[AgentSession], sources: ExportSources) -> Iterator[Row]:
    """Yield the working memory of each session that has some.

    It is theirs whose events name it, or who it says.
    """
    for session in sessions:
        with suppress(NotFoundError):
            state = sources.states.state(session)
            if state.user_id not in {None, owner.user}:
                continue
            named = {"agent_id": session.agent, "session_id": session.session_id}
            yield named | state.model_dump(mode="json")


def facts(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    """Yield each key with the fact that holds, taken back ones included, and every observation that led to it."""
    seen = group_by_key(sources.facts.observations(owner))
    for keys in _behind(sorted(seen), after):
        yield RowChunk([_fact(key, seen[key]) for key in keys.items], keys.after)


def documents(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    within = SearchScope(
        tenant_id=owner.tenant, now=sources.now(), scope=memory_scope(owner.user, None), kinds=("document",)
    )
    ids = sorted(iterate_pages(lambda place: sources.index.documents(within, limit=PAGE_ROWS, after=place)))
    for page in _behind(ids, after):
        found = sources.documents.documents(owner.tenant, page.items)
        yield RowChunk([document.model_dump(mode="json") for document in found], page.after)


def quarantine(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    for page in _pages(lambda place: sources.held_facts.page(owner, limit=PAGE_ROWS, after=place), after):
        yield RowChunk([each.model_dump(mode="json") for each in page.items], page.after)


def as_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def iterate_pages(page: PageReader[T]) -> Iterator[T]:
    for each in _pages(page, None):
        yield from each.items


def _event(episode: Episode) -> Row:
    recorded = RecordedEvent(event=episode.event, learned_at=episode.learned_at)
    return recorded.model_dump(mode="json", by_alias=True, exclude={"extracted"})


def _fact(key: str, seen: list[Observation]) -> Row:
    fact = fold(seen)
    versions = [version.model_dump(mode="json") for version in list_versions(seen)]
    return {"key": key, "fact": fact and fact.model_dump(mode="json"), "history": versions}


def _behind(names: Sequence[str], after: After) -> Iterator[Page[str]]:
    """Yield sorted names by the page, those behind the last one of a page before."""
    start = bisect_right(names, after["name"]) if after else 0
    for first in range(start, len(names), PAGE_ROWS):
        page = tuple(names[first : first + PAGE_ROWS])
        yield Page(page, {"name": page[-1]} if first + PAGE_ROWS < len(names) else None)


def _pages(page: PageReader[T], after: After) -> Iterator[Page[T]]:
    while True:
        found = page(after)
        yield found
        if found.after is None:
            return
        after = found.after
