"""The items of a conversation: pk `T#<tenant>#C#<conversation>`.

Sk `META`, `MEMBER#<user>`, `MSG#<ulid>`, `TURN#…`.

`PROMPT#<ulid>` says what the prompt of the reply `<ulid>` was made of; `META` counts tokens and keeps the
window's cut.

Beside them, until it has been read, what a user just said: pk `T#<tenant>#U#<user>`, sk `FRESH#<event id>`,
and their stamp `FRESHNESS`.

Index `by_status`, newest first: `META` lies under `T#<tenant>#<status>`, the entry of each who may read it
under `T#<tenant>#U#<user>#<status>`, that of who left it under `T#<tenant>#U#<user>#left`. A deleted
conversation leaves its `META` with `deleted_at` and nothing else.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from boto3.dynamodb.conditions import Key

from membus.conversations.conversation import (
    Conversation,
    ConversationCounters,
    ConversationStatus,
    Message,
    Turn,
)
from membus.conversations.provenance import TurnMetadata
from membus.conversations.unprocessed_messages import UnprocessedMessage, unprocessed_from_turn
from membus.conversations.window import message_tokens
from membus.core.identity import Owner

Item = dict[str, Any]

FORMER_MEMBER = "left"
"""Where a status stands, for those who were members and are no more."""
REQUEST_LIFETIME = timedelta(days=1)
JOB_PREFIX = "PENDING#"
TOMBSTONE_LIFETIME = timedelta(days=30)
ALIVE = "attribute_exists(pk) AND attribute_not_exists(deleted_at)"
"""The condition on `META` of every write beside it."""


def conversation_key(tenant: str, conversation_id: str, sk: str = "META") -> dict[str, str]:
    return {"pk": f"T#{tenant}#C#{conversation_id}", "sk": sk}


def request_item_key(tenant: str, request_key: str) -> dict[str, str]:
    """Return where it says which conversation a request made."""
    return {"pk": f"T#{tenant}#C#{hashlib.sha256(request_key.encode()).hexdigest()}", "sk": "REQUEST"}


def turn_sort_key(request_key: str) -> str:
    return f"TURN#{hashlib.sha256(request_key.encode()).hexdigest()}"


def job_sort_key(request_key: str) -> str:
    return f"{JOB_PREFIX}{hashlib.sha256(request_key.encode()).hexdigest()}"


def progress_sort_key(request_key: str) -> str:
    return f"STEPS#{hashlib.sha256(request_key.encode()).hexdigest()}"


def meta_item(conversation: Conversation) -> Item:
    item = {
        **conversation_key(conversation.tenant_id, conversation.conversation_id),
        **status_keys(conversation),
        "message_count": conversation.message_count,
        "version": conversation.version,
        "body": conversation_body(conversation),
    }
    return item | ({"title": conversation.title} if conversation.title else {})


def conversation_body(conversation: Conversation) -> str:
    """Return what no message changes."""
    return conversation.model_dump_json(exclude={"message_count", "title", "version"})


def status_keys(conversation: Conversation, user: str | None = None) -> dict[str, str]:
    return {
        "status_pk": status_pk(conversation.tenant_id, conversation.status, user),
        "status_sk": conversation.conversation_id,
    }


def status_pk(tenant: str, status: ConversationStatus, user: str | None) -> str:
    return f"T#{tenant}#U#{user}#{status}" if user else f"T#{tenant}#{status}"


def member_items(conversation: Conversation) -> dict[str, Item]:
    """Return the entry of each who may read it; one without the index's keys is listed nowhere."""
    place = {
        user: conversation_key(conversation.tenant_id, conversation.conversation_id, f"MEMBER#{user}")
        for user in conversation.people
    }
    return {user: {**place[user], **status_keys(conversation, user)} for user in sorted(place)}


def changed_member_items(before: Conversation, after: Conversation) -> list[Item]:
    """Return the entries that a change writes anew.

    Whoever is no member any more keeps one that no list of conversations shows: what they said is still
    theirs.
    """
    old, new = member_items(before), member_items(after)
    left = [
        item | {"status_pk": f"T#{before.tenant_id}#U#{user}#{FORMER_MEMBER}"}
        for user, item in old.items()
        if user not in new
    ]
    return [*left, *(item for user, item in new.items() if old.get(user) != item)]


def conversation_of(item: Item | None) -> Conversation | None:
    if item is None or "deleted_at" in item:
        return None
    stored = Conversation.model_validate_json(str(item["body"]))
    counted = {
        "message_count": int(item["message_count"]),
        "version": int(item["version"]),
        "title": item.get("title"),
    }
    return stored.model_copy(update=counted | {"marks": counters_of(item)})


def counters_of(item: Item) -> ConversationCounters:
    kept = {name: json.loads(str(item[name])) for name in ("borders", "cut", "rate") if name in item}
    return ConversationCounters.model_validate(kept | {"tokens": int(item.get("tokens", 0))})


def message_item(tenant: str, conversation_id: str, message: Message) -> Item:
    item = {
        **conversation_key(tenant, conversation_id, f"MSG#{message.message_id}"),
        "body": message.model_dump_json(),
    }
    return item | ({"spilled": message.spilled} if message.spilled else {})


def unprocessed_key(owner: Owner, place: str) -> dict[str, str]:
    return {"pk": f"T#{owner.tenant}#U#{owner.user}", "sk": f"FRESH#{place}"}


def unprocessed_item(owner: Owner, fresh: UnprocessedMessage) -> Item:
    return {
        **unprocessed_key(owner, fresh.sort_key),
        "expires_at": epoch_seconds(fresh.expires_at),
        "body": fresh.model_dump_json(),
    }


def version_token_key(owner: Owner) -> dict[str, str]:
    return {"pk": f"T#{owner.tenant}#U#{owner.user}", "sk": "FRESHNESS"}


def turn_unprocessed_items(tenant: str, conversation_id: str, turn: Turn) -> list[Item]:
    """Return what the turn leaves for the user's other conversations.

    Nothing where it is not to be remembered.
    """
    if not turn.user.remember:
        return []
    return unprocessed_items(
        Owner(tenant=tenant, user=turn.user.author), [unprocessed_from_turn(turn, conversation_id)]
    )


def unprocessed_items(owner: Owner, words: Sequence[UnprocessedMessage]) -> list[Item]:
    """Return the words and the new stamp that belongs to them: both are written, or neither."""
    until = max(epoch_seconds(fresh.expires_at) for fresh in words)
    stamp = {**version_token_key(owner), "expires_at": until, "stamp": uuid4().hex}
    return [*(unprocessed_item(owner, fresh) for fresh in words), stamp]


def message_of(item: Item) -> Message:
    return Message.model_validate_json(str(item["body"]))


def messages_query(tenant: str, conversation_id: str, *, after: str | None = None) -> dict[str, Any]:
    """Ask for messages, of those behind message `after` where it is named.

    A space makes the least id above it.
    """
    first, pk = f"MSG#{after} " if after else "MSG#", conversation_key(tenant, conversation_id)["pk"]
    return {
        "KeyConditionExpression": Key("pk").eq(pk) & Key("sk").between(first, "MSG$"),
        "ConsistentRead": True,
    }


def counters_update(turn: Turn, trace: TurnMetadata) -> tuple[str, Item]:
    """Return what a turn sets on `META` besides its title.

    Counters, and where they moved the cut and the rate.
    """
    tokens = sum(map(message_tokens, (turn.user, turn.assistant)))
    values: Item = {":two": 2, ":none": 0, ":tokens": tokens, ":first": turn.user.message_id}
    update = "SET message_count = message_count + :two, tokens = if_not_exists(tokens, :none) + :tokens"
    for name, value in (("cut", trace.cut), ("rate", trace.rate)):
        if value is not None:
            update += f", {name} = :{name}"
            values[f":{name}"] = value.model_dump_json()
    return update, values


def metadata_items(tenant: str, conversation_id: str, trace: TurnMetadata) -> list[Item]:
    made = trace.provenance
    return (
        [
            {
                **conversation_key(tenant, conversation_id, f"PROMPT#{made.message_id}"),
                "body": made.model_dump_json(),
            }
        ]
        if made
        else []
    )


def epoch_seconds(moment: datetime) -> int:
    return int(moment.timestamp())
