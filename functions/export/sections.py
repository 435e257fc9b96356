"""What there is of a user, file by file, in an order that does not depend on when it is asked for.

A user's conversations as rows.

What was said in order, and of what belongs to somebody else their own words.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, get_args

from membus.conversations.conversation import Conversation, ConversationStatus, Message
from membus.conversations.ports import ConversationStore, SummaryReader
from membus.core.blobs import BlobStore
from membus.core.clock import EARLIEST, LATEST
from membus.core.errors import NotFoundError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.core.pages import After, Page, read_items, read_pages
from membus.episodes.model import Episode, EpisodeQuery
from membus.episodes.ports import EpisodeReader
from membus.facts.fact import fold, group_by_key, list_versions
from membus.facts.observation import Observation
from membus.facts.ports import FactReader, ReviewQueue
from membus.search.model import memory_scope
from membus.search.ports import DocumentStore, MemoryIndex
from membus.search.retrieval import SearchScope
from membus.states.model import AgentSession
from membus.states.ports import StateStore

PAGE_ROWS = 200
Row = dict[str, Any]


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
    for page in read_pages(partial(sources.episodes.list_episodes, wanted, limit=PAGE_ROWS), after):
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
            state = sources.states.get_state(session)
            if state.user_id not in {None, owner.user}:
                continue
            named = {"agent_id": session.agent, "session_id": session.session_id}
            yield named | state.model_dump(mode="json")


def facts(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    """Yield each key with the fact that holds, taken back ones included, and every observation that led to it."""
    seen = group_by_key(sources.facts.list_observations(owner))
    for keys in _behind(sorted(seen), after):
        yield RowChunk([_fact(key, seen[key]) for key in keys.items], keys.after)


def documents(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    within = SearchScope(
        tenant_id=owner.tenant, now=sources.now(), scope=memory_scope(owner.user, None), kinds=("document",)
    )
    ids = sorted(read_items(partial(sources.index.list_documents, within, limit=PAGE_ROWS)))
    for page in _behind(ids, after):
        found = sources.documents.get_documents(owner.tenant, page.items)
        yield RowChunk([document.model_dump(mode="json") for document in found], page.after)


def quarantine(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    for page in read_pages(partial(sources.held_facts.list_items, owner, limit=PAGE_ROWS), after):
        yield RowChunk([each.model_dump(mode="json") for each in page.items], page.after)


def as_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


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


def conversations(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    """Yield a line for each conversation, message, summary and ledger of slots.

    Of a conversation that belongs to somebody else the user takes along what they said themselves.
    """
    theirs = _conversations_of(owner, sources)
    for each in theirs:
        if after and each.conversation_id < after["conversation"]:
            continue
        place = after if after and each.conversation_id == after["conversation"] else None
        more = each is not theirs[-1]
        yield from _conversation(owner, each, sources, place, more=more)


def _conversation(
    owner: Owner, conversation: Conversation, sources: ExportSources, after: After, *, more: bool
) -> Iterator[RowChunk]:
    """Yield one of them behind a place in it; `more` says that others follow."""
    tenant, named = conversation.tenant_id, conversation.conversation_id
    place = {name: value for name, value in after.items() if name != "conversation"} if after else None
    if place == {}:
        return
    head = [{"kind": "conversation"} | conversation.model_dump(mode="json")] if place is None else []
    mine = conversation.user_id == owner.user
    while True:
        page = sources.conversations.list_messages(tenant, named, limit=PAGE_ROWS, after=place)
        said = [_message(named, each, sources) for each in page.items if mine or each.author == owner.user]
        place = page.after
        if place is None:
            told = _summary_rows(tenant, named, sources) if mine else []
            yield RowChunk([*head, *said, *told], {"conversation": named} if more else None)
            return
        yield RowChunk([*head, *said], {"conversation": named, **place})
        head = []


def _message(named: str, message: Message, sources: ExportSources) -> Row:
    """Return the message with all that its tools gave, where its steps show less."""
    row = {"kind": "message", "conversation_id": named} | message.model_dump(mode="json", exclude={"spilled"})
    whole = sources.contents.get_text(message.spilled) if message.spilled else None
    return row | ({"results": json.loads(whole)} if whole else {})


def _summary_rows(tenant: str, named: str, sources: ExportSources) -> list[Row]:
    summaries = read_items(partial(sources.summaries.list_summaries, tenant, named, limit=PAGE_ROWS))
    about = {"conversation_id": named}
    rows = [{"kind": "summary"} | about | each.model_dump(mode="json") for each in summaries]
    outline = sources.summaries.get_index(tenant, named)
    return rows + (
        [{"kind": "slots"} | about | outline.model_dump(mode="json")]
        if outline.last_checkpoint.version
        else []
    )


def _conversations_of(owner: Owner, sources: ExportSources) -> list[Conversation]:
    list_conversations = partial(
        sources.conversations.list_conversations, owner.tenant, user=owner.user, limit=PAGE_ROWS
    )
    statuses = get_args(ConversationStatus)
    found = [each for status in statuses for each in read_items(partial(list_conversations, status))]
    return sorted(found, key=lambda each: each.conversation_id)
