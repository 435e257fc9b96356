"""The data of a user, section by section, in an order that does not depend on when it is read.

Of a conversation that belongs to another user only the user's own messages are exported.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from membus.conversations.conversation import Conversation, ConversationStatus, Message
from membus.conversations.ports import ConversationStore, SummaryReader
from membus.core.blobs import BlobStore
from membus.core.clock import EARLIEST, LATEST, Clock
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
    """The stores that hold a user's data; `episodes` reads both tiers."""

    episodes: EpisodeReader
    facts: FactReader
    conversations: ConversationStore
    summaries: SummaryReader
    documents: DocumentStore
    index: MemoryIndex
    review_queue: ReviewQueue
    states: StateStore
    blobs: BlobStore
    clock: Clock
    page_rows: int = PAGE_ROWS


@dataclass(frozen=True)
class RowChunk:
    """Some rows, and the key before the next ones, None for the last; `sessions` are those of events."""

    rows: list[Row]
    after: After
    sessions: tuple[AgentSession, ...] = ()


def read_events(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    """Yield each recorded event of both tiers, in time order."""
    wanted = EpisodeQuery(tenant=owner.tenant, user_id=owner.user, start=EARLIEST, end=LATEST)
    for page in read_pages(partial(sources.episodes.list_episodes, wanted, limit=sources.page_rows), after):
        sessions = tuple(
            AgentSession(tenant=owner.tenant, agent=each.event.agent_id, session_id=each.event.session_id)
            for each in page.items
            if each.event.session_id
        )
        yield RowChunk([_event_row(episode) for episode in page.items], page.after, sessions)


def read_states(owner: Owner, sessions: Iterable[AgentSession], sources: ExportSources) -> Iterator[Row]:
    """Yield the state of each session, unless it names another user; one without a name is the user's."""
    for session in sessions:
        with suppress(NotFoundError):
            state = sources.states.get_state(session)
            if state.user_id in {None, owner.user}:
                names = {"agent_id": session.agent, "session_id": session.session_id}
                yield names | state.model_dump(mode="json")


def read_facts(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    """Yield each key with its current fact, retracted ones included, and all its observations."""
    by_key = group_by_key(sources.facts.list_observations(owner))
    for keys in _name_pages(sorted(by_key), after, sources.page_rows):
        yield RowChunk([_fact_row(key, by_key[key]) for key in keys.items], keys.after)


def read_documents(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    scope = SearchScope(
        tenant_id=owner.tenant,
        now=sources.clock(),
        scope=memory_scope(owner.user, None),
        kinds=("document",),
    )
    ids = read_items(partial(sources.index.list_documents, scope, limit=sources.page_rows))
    for page in _name_pages(sorted(ids), after, sources.page_rows):
        found = sources.documents.get_documents(owner.tenant, page.items)
        yield RowChunk([document.model_dump(mode="json") for document in found], page.after)


def read_review_items(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    for page in read_pages(partial(sources.review_queue.list_items, owner, limit=sources.page_rows), after):
        yield RowChunk([each.model_dump(mode="json") for each in page.items], page.after)


def read_conversations(owner: Owner, sources: ExportSources, after: After) -> Iterator[RowChunk]:
    """Yield a row for each conversation, message, summary and summary index."""
    conversations = _list_conversations(owner, sources)
    for each in conversations:
        if after and each.conversation_id < after["conversation"]:
            continue
        inside = after if after and each.conversation_id == after["conversation"] else None
        yield from _read_conversation(owner, each, sources, inside, is_last=each is conversations[-1])


def _read_conversation(
    owner: Owner, conversation: Conversation, sources: ExportSources, after: After, *, is_last: bool
) -> Iterator[RowChunk]:
    """Yield the rows of one conversation after a key, which names it alone once all of its rows were read."""
    tenant, conversation_id = conversation.tenant_id, conversation.conversation_id
    key = {name: value for name, value in after.items() if name != "conversation"} if after else None
    if key == {}:
        return
    head = [{"kind": "conversation"} | conversation.model_dump(mode="json")] if key is None else []
    is_owner = conversation.user_id == owner.user
    while True:
        page = sources.conversations.list_messages(
            tenant, conversation_id, limit=sources.page_rows, after=key
        )
        own = [each for each in page.items if is_owner or each.author == owner.user]
        rows = [*head, *(_message_row(conversation_id, each, sources) for each in own)]
        head, key = [], page.after
        if key is None:
            rows += _summary_rows(tenant, conversation_id, sources) if is_owner else []
            yield RowChunk(rows, None if is_last else {"conversation": conversation_id})
            return
        yield RowChunk(rows, {"conversation": conversation_id, **key})


def as_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _event_row(episode: Episode) -> Row:
    recorded = RecordedEvent(event=episode.event, learned_at=episode.learned_at)
    return recorded.model_dump(mode="json", by_alias=True, exclude={"extracted"})


def _fact_row(key: str, observations: list[Observation]) -> Row:
    fact = fold(observations)
    versions = [version.model_dump(mode="json") for version in list_versions(observations)]
    return {"key": key, "fact": fact and fact.model_dump(mode="json"), "history": versions}


def _message_row(conversation_id: str, message: Message, sources: ExportSources) -> Row:
    """Return the message with the whole results of its tools, of which its steps may show less."""
    names = {"kind": "message", "conversation_id": conversation_id}
    row = names | message.model_dump(mode="json", exclude={"spilled"})
    results = sources.blobs.get_text(message.spilled) if message.spilled else None
    return row | ({"results": json.loads(results)} if results else {})


def _summary_rows(tenant: str, conversation_id: str, sources: ExportSources) -> list[Row]:
    listing = partial(sources.summaries.list_summaries, tenant, conversation_id, limit=sources.page_rows)
    about = {"conversation_id": conversation_id}
    rows = [{"kind": "summary"} | about | each.model_dump(mode="json") for each in read_items(listing)]
    index = sources.summaries.get_index(tenant, conversation_id)
    if index.last_checkpoint.version:
        rows.append({"kind": "slots"} | about | index.model_dump(mode="json"))
    return rows


def _list_conversations(owner: Owner, sources: ExportSources) -> list[Conversation]:
    listing = partial(
        sources.conversations.list_conversations, owner.tenant, user=owner.user, limit=sources.page_rows
    )
    statuses = get_args(ConversationStatus)
    found = [each for status in statuses for each in read_items(partial(listing, status))]
    return sorted(found, key=lambda each: each.conversation_id)


def _name_pages(names: Sequence[str], after: After, size: int) -> Iterator[Page[str]]:
    """Yield sorted names in pages, from the one after the last name of a page before."""
    start = bisect_right(names, after["name"]) if after else 0
    for first in range(start, len(names), size):
        page = tuple(names[first : first + size])
        yield Page(page, {"name": page[-1]} if first + size < len(names) else None)
