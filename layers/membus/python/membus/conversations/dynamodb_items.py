"""Items of a conversation in DynamoDB, as `membus.aws.dynamodb.keys` lays out their keys.

`META` is the conversation: it counts messages and tokens, keeps the window's cut and how far summaries reach.
`PROMPT#<ulid>` says what the prompt of the reply `<ulid>` was made of. Index `by_status`, newest first, lists
`META` for the tenant and `MEMBER#<user>` for each who may read it, or did (`left`). A deleted conversation
leaves its `META` with `deleted_at` and nothing else.

Beside them lies, until it has been read, what a user just said (`FRESH#<event>`) and the version of it all
(`FRESHNESS`).
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from boto3.dynamodb.conditions import ConditionBase, Key

from membus.aws.dynamodb.keys import ItemKey, conversation_pk, status_pk, user_pk
from membus.aws.dynamodb.table import Item, read_body
from membus.conversations.conversation import Conversation, ConversationCounters, Message, Turn
from membus.conversations.provenance import TurnMetadata
from membus.conversations.unprocessed_messages import UnprocessedMessage, unprocessed_from_turn
from membus.conversations.window import message_tokens
from membus.core.identity import Owner

FORMER_MEMBER = "left"
"""Where a status stands, for those who were members and are no more."""
REQUEST_LIFETIME = timedelta(days=1)
TOMBSTONE_LIFETIME = timedelta(days=30)
ALIVE = "attribute_exists(pk) AND attribute_not_exists(deleted_at)"
"""The condition on `META` of every write beside it."""
JOB_PREFIX, UNPROCESSED_PREFIX = "PENDING#", "FRESH#"


def conversation_key(tenant: str, conversation_id: str, sk: str = "META") -> ItemKey:
    return {"pk": conversation_pk(tenant, conversation_id), "sk": sk}


def request_item_key(tenant: str, request_key: str) -> ItemKey:
    """Return the key of the item that says which conversation a request made."""
    return conversation_key(tenant, _digest(request_key), "REQUEST")


def turn_sort_key(request_key: str) -> str:
    return f"TURN#{_digest(request_key)}"


def job_sort_key(request_key: str) -> str:
    return f"{JOB_PREFIX}{_digest(request_key)}"


def progress_sort_key(request_key: str) -> str:
    return f"STEPS#{_digest(request_key)}"


def meta_item(conversation: Conversation) -> Item:
    item = {
        **conversation_key(conversation.tenant_id, conversation.conversation_id),
        **_status_keys(conversation),
        "message_count": conversation.message_count,
        "version": conversation.version,
        "body": conversation_body(conversation),
    }
    return item | ({"title": conversation.title} if conversation.title else {})


def conversation_body(conversation: Conversation) -> str:
    """Return what no message changes."""
    return conversation.model_dump_json(exclude={"message_count", "title", "version"})


def member_items(conversation: Conversation) -> dict[str, Item]:
    """Return an entry for each user who may read the conversation; the index lists them."""
    tenant, where = conversation.tenant_id, conversation.conversation_id
    return {
        user: {
            **conversation_key(tenant, where, f"MEMBER#{user}"),
            **_status_keys(conversation, user),
        }
        for user in sorted(conversation.people)
    }


def changed_member_items(before: Conversation, after: Conversation) -> list[Item]:
    """Return the entries that a change writes anew.

    A former member keeps one that no list of conversations shows: what they said is still theirs.
    """
    old, new = member_items(before), member_items(after)
    left = [
        item | {"status_pk": status_pk(before.tenant_id, FORMER_MEMBER, user)}
        for user, item in old.items()
        if user not in new
    ]
    return [*left, *(item for user, item in new.items() if old.get(user) != item)]


def conversation_of(item: Item | None) -> Conversation | None:
    if item is None or "deleted_at" in item:
        return None
    stored = read_body(item, Conversation)
    counters = {name: json.loads(str(item[name])) for name in ("borders", "cut", "rate") if name in item}
    return stored.model_copy(
        update={
            "message_count": int(item["message_count"]),
            "version": int(item["version"]),
            "title": item.get("title"),
            "counters": ConversationCounters.model_validate(
                counters | {"tokens": int(item.get("tokens", 0))}
            ),
        }
    )


def message_item(tenant: str, conversation_id: str, message: Message) -> Item:
    item = {
        **conversation_key(tenant, conversation_id, f"MSG#{message.message_id}"),
        "body": message.model_dump_json(),
    }
    return item | ({"spilled": message.spilled} if message.spilled else {})


def message_of(item: Item) -> Message:
    return read_body(item, Message)


def messages_condition(tenant: str, conversation_id: str, *, after: str | None = None) -> ConditionBase:
    """Return the condition of a query for messages, of those behind message `after` where it is named.

    A space makes the least sort key above it.
    """
    first = f"MSG#{after} " if after else "MSG#"
    return Key("pk").eq(conversation_pk(tenant, conversation_id)) & Key("sk").between(first, "MSG$")


def unprocessed_key(owner: Owner, place: str) -> ItemKey:
    return {"pk": user_pk(owner), "sk": f"{UNPROCESSED_PREFIX}{place}"}


def version_token_key(owner: Owner) -> ItemKey:
    return {"pk": user_pk(owner), "sk": "FRESHNESS"}


def unprocessed_items(owner: Owner, said: Sequence[UnprocessedMessage]) -> list[Item]:
    """Return the messages and their new version token: both are written, or neither."""
    messages = [
        {
            **unprocessed_key(owner, each.sort_key),
            "expires_at": epoch_seconds(each.expires_at),
            "body": each.model_dump_json(),
        }
        for each in said
    ]
    until = max(epoch_seconds(each.expires_at) for each in said)
    return [*messages, {**version_token_key(owner), "expires_at": until, "stamp": uuid4().hex}]


def turn_items(tenant: str, conversation_id: str, turn: Turn, metadata: TurnMetadata) -> list[Item]:
    """Return what a turn leaves: both messages, how its prompt was made, and what extraction has yet to read.

    Nothing is left for extraction where the turn is not to be remembered.
    """
    items = [message_item(tenant, conversation_id, message) for message in (turn.user, turn.assistant)]
    if turn.user.remember:
        author = Owner(tenant=tenant, user=turn.user.author)
        items += unprocessed_items(author, [unprocessed_from_turn(turn, conversation_id, metadata.agent_id)])
    if made := metadata.provenance:
        key = conversation_key(tenant, conversation_id, f"PROMPT#{made.message_id}")
        items.append({**key, "body": made.model_dump_json()})
    return items


def counters_update(turn: Turn, metadata: TurnMetadata) -> tuple[str, Item]:
    """Return what a turn sets on `META`: the counters, and cut and rate where they moved."""
    tokens = sum(map(message_tokens, (turn.user, turn.assistant)))
    values: Item = {":two": 2, ":none": 0, ":tokens": tokens, ":first": turn.user.message_id}
    update = "SET message_count = message_count + :two, tokens = if_not_exists(tokens, :none) + :tokens"
    for name, value in (("cut", metadata.cut), ("rate", metadata.rate)):
        if value is not None:
            update += f", {name} = :{name}"
            values[f":{name}"] = value.model_dump_json()
    return update, values


def epoch_seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _status_keys(conversation: Conversation, user: str | None = None) -> dict[str, Any]:
    return {
        "status_pk": status_pk(conversation.tenant_id, conversation.status, user),
        "status_sk": conversation.conversation_id,
    }


def _digest(request_key: str) -> str:
    return hashlib.sha256(request_key.encode()).hexdigest()
