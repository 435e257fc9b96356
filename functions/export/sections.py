"""What there is of a user, file by file, in an order that does not depend on when it is asked for."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from membus.domain.episode import Episode, EpisodeQuery
from membus.domain.event import EARLIEST, LATEST, Recorded
from membus.domain.facts import Observation, by_key, fold, history
from membus.domain.identity import Owner
from membus.domain.memory import scope_of
from membus.domain.pages import Page
from membus.domain.retrieval import Within
from membus.domain.state import Session
from membus.errors import NotFoundError
from membus.ports.contents import ContentStore
from membus.ports.conversations import ConversationStore
from membus.ports.documents import DocumentStore
from membus.ports.episodes import EpisodeReader
from membus.ports.facts import FactReader
from membus.ports.held_facts import HeldFacts
from membus.ports.memories import MemoryIndex
from membus.ports.states import StateStore
from membus.ports.summaries import OutlineReader

T = TypeVar("T")
PAGE = 200
Row = dict[str, Any]
After = dict[str, str] | None
Turning = Callable[[After], Page[T]]
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
    states: StateStore
    contents: ContentStore
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Chunk:
    """Some rows, and behind what the next ones come: None behind the last. `sessions` are those of events."""

    rows: list[Row]
    after: dict[str, str] | None
    sessions: tuple[Session, ...] = ()


def events(owner: Owner, sources: Sources, after: After) -> Iterator[Chunk]:
    """Yield each event as it was recorded, in time order, wherever it lies."""
    wanted = EpisodeQuery(tenant=owner.tenant, user_id=owner.user, start=EARLIEST, end=LATEST)
    for page in _pages(lambda place: sources.episodes.page(wanted, limit=PAGE, after=place), after):
        yield Chunk(
            [_event(episode) for episode in page.items],
            page.after,
            tuple(
                Session(tenant=owner.tenant, agent=each.event.agent_id, session_id=each.event.session_id)
                for each in page.items
                if each.event.session_id
            ),
        )


def states(owner: Owner, sessions: Iterable[Session], sources: Sources) -> Iterator[Row]:
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


def facts(owner: Owner, sources: Sources, after: After) -> Iterator[Chunk]:
    """Yield each key with the fact that holds, taken back ones included, and every observation that led to it."""
    seen = by_key(sources.facts.observations(owner))
    for keys in _behind(sorted(seen), after):
        yield Chunk([_fact(key, seen[key]) for key in keys.items], keys.after)


def documents(owner: Owner, sources: Sources, after: After) -> Iterator[Chunk]:
    within = Within(
        tenant_id=owner.tenant, now=sources.now(), scope=scope_of(owner.user, None), kinds=("document",)
    )
    ids = sorted(every(lambda place: sources.index.documents(within, limit=PAGE, after=place)))
    for page in _behind(ids, after):
        found = sources.documents.documents(owner.tenant, page.items)
        yield Chunk([document.model_dump(mode="json") for document in found], page.after)


def quarantine(owner: Owner, sources: Sources, after: After) -> Iterator[Chunk]:
    for page in _pages(lambda place: sources.held_facts.page(owner, limit=PAGE, after=place), after):
        yield Chunk([each.model_dump(mode="json") for each in page.items], page.after)


def as_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def every(page: Turning[T]) -> Iterator[T]:
    for each in _pages(page, None):
        yield from each.items


def _event(episode: Episode) -> Row:
    recorded = Recorded(event=episode.event, learned_at=episode.learned_at)
    return recorded.model_dump(mode="json", by_alias=True, exclude={"extracted"})


def _fact(key: str, seen: list[Observation]) -> Row:
    fact = fold(seen)
    versions = [version.model_dump(mode="json") for version in history(seen)]
    return {"key": key, "fact": fact and fact.model_dump(mode="json"), "history": versions}


def _behind(names: Sequence[str], after: After) -> Iterator[Page[str]]:
    """Yield sorted names by the page, those behind the last one of a page before."""
    start = bisect_right(names, after["name"]) if after else 0
    for first in range(start, len(names), PAGE):
        page = tuple(names[first : first + PAGE])
        yield Page(page, {"name": page[-1]} if first + PAGE < len(names) else None)


def _pages(page: Turning[T], after: After) -> Iterator[Page[T]]:
    while True:
        found = page(after)
        yield found
        if found.after is None:
            return
        after = found.after
