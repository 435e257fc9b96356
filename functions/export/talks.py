"""A user's conversations as rows.

What was said in order, and of what belongs to somebody else their own words.
"""

import json
from collections.abc import Iterator
from typing import get_args

from functions.export.sections import (
    PAGE_ROWS,
    After,
    ExportSources,
    PageReader,
    Row,
    RowChunk,
    iterate_pages,
)
from membus.domain.conversation import Conversation, ConversationStatus, Message
from membus.domain.identity import Owner


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
        page = sources.conversations.messages(tenant, named, limit=PAGE_ROWS, after=place)
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
    whole = sources.contents.text(message.spilled) if message.spilled else None
    return row | ({"results": json.loads(whole)} if whole else {})


def _summary_rows(tenant: str, named: str, sources: ExportSources) -> list[Row]:
    summaries = iterate_pages(
        lambda after: sources.summaries.summaries(tenant, named, limit=PAGE_ROWS, after=after)
    )
    about = {"conversation_id": named}
    rows = [{"kind": "summary"} | about | each.model_dump(mode="json") for each in summaries]
    outline = sources.summaries.outline(tenant, named)
    return rows + (
        [{"kind": "slots"} | about | outline.model_dump(mode="json")] if outline.border.version else []
    )


def _conversations_of(owner: Owner, sources: ExportSources) -> list[Conversation]:
    found = [
        each
        for status in get_args(ConversationStatus)
        for each in iterate_pages(_of_status(owner, sources, status))
    ]
    return sorted(found, key=lambda each: each.conversation_id)


def _of_status(owner: Owner, sources: ExportSources, status: ConversationStatus) -> PageReader[Conversation]:
    return lambda after: sources.conversations.page(
        owner.tenant, status, user=owner.user, limit=PAGE_ROWS, after=after
    )
