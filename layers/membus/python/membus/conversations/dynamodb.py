"""Conversations in DynamoDB, laid out by `conversation_items`.

A turn's item remembers for a day which request produced it: a retried request finds its answer instead of
asking the model again. The same holds for a conversation's beginning: pk `T#<tenant>#C#<request key>`, sk
`REQUEST`.

What is left of deleted conversations in DynamoDB.

Every item beside `META`, and the large text it points to.

Any item of a conversation may name a key of the content store in `spilled`. The text goes first: an item that
is left behind says where to go on, a text that is left behind says nothing.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.batches import get_items
from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.conversations import dynamodb_items as items
from membus.conversations.conversation import Conversation, ConversationStatus, Message, Turn
from membus.conversations.dynamodb_items import (
    ALIVE,
    REQUEST_LIFETIME,
    TOMBSTONE_LIFETIME,
    Item,
    epoch_seconds,
)
from membus.conversations.ports import NO_METADATA
from membus.conversations.provenance import PromptProvenance, TurnMetadata
from membus.core.blobs import BlobStore
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.pages import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoConversations:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def create_conversation(self, conversation: Conversation, *, request_key: str) -> Conversation:
        request = items.request_item_key(conversation.tenant_id, request_key)
        new = {"Item": items.meta_item(conversation), "ConditionExpression": "attribute_not_exists(pk)"}
        writes = [
            self._first({**request, "conversation_id": conversation.conversation_id}),
            self._put(**new),
            *(self._put(Item=entry) for entry in items.member_items(conversation).values()),
        ]
        try:
            write_transaction(self._table.meta.client, writes, doing="creating a conversation")
        except ConflictError:
            made = self._item(request)
            if made is None:
                raise
            return self.get_conversation(conversation.tenant_id, str(made["conversation_id"]))
        return conversation

    def get_conversation(self, tenant: str, conversation_id: str) -> Conversation:
        found = items.conversation_of(self._item(items.conversation_key(tenant, conversation_id)))
        if found is None:
            raise NotFoundError("no such conversation")
        return found

    def list_conversations(
        self,
        tenant: str,
        status: ConversationStatus,
        *,
        user: str | None,
        limit: int,
        after: dict[str, str] | None,
    ) -> Page[Conversation]:
        """The index comes a moment late, so it only says where to look.

        What is listed is read from the items.
        """
        listed = Key("status_pk").eq(items.status_pk(tenant, status, user))
        query = {
            "KeyConditionExpression": listed,
            "IndexName": "by_status",
            "ProjectionExpression": "status_sk",
        }
        entries, last = self._query(query, limit=limit, after=after, forward=False)
        found = self._conversations(tenant, [str(entry["status_sk"]) for entry in entries])
        shown = (each for each in found if each.status == status and (user is None or user in each.people))
        return Page(tuple(shown), last)

    def filter_by_participant(
        self, tenant: str, conversation_ids: Sequence[str], users: Collection[str]
    ) -> set[str]:
        """Ask for the entry of each in each: one request for a hundred of them."""
        keys = [
            items.conversation_key(tenant, each, f"MEMBER#{user}")
            for each in conversation_ids
            for user in sorted(users)
        ]
        found = get_items(self._table, keys, doing="asking who takes part")
        return {str(item["pk"]).rsplit("#", 1)[1] for item in found}

    def update_conversation(self, before: Conversation, after: Conversation) -> None:
        values: Item = {
            ":read": before.version,
            ":version": after.version,
            ":title": after.title,
            ":status_pk": items.status_keys(after)["status_pk"],
            ":body": items.conversation_body(after),
        }
        titled = ", title = :title" if values[":title"] else ""
        update = {
            "Key": items.conversation_key(before.tenant_id, before.conversation_id),
            "UpdateExpression": f"SET version = :version, status_pk = :status_pk, body = :body{titled}",
            "ConditionExpression": f"{ALIVE} AND version = :read",
            "ExpressionAttributeValues": {name: value for name, value in values.items() if value is not None},
        }
        entries = (self._put(Item=entry) for entry in items.changed_member_items(before, after))
        try:
            write_transaction(
                self._table.meta.client, [self._update(**update), *entries], doing="changing a conversation"
            )
        except ConflictError as lost:
            stored = self.get_conversation(before.tenant_id, before.conversation_id)
            raise ConflictError("the conversation has changed", version=stored.version) from lost

    def delete_conversation(self, tenant: str, conversation_id: str) -> None:
        now = self._clock()
        gone: Item = {"deleted_at": now.isoformat(), "expires_at": epoch_seconds(now + TOMBSTONE_LIFETIME)}
        try:
            with translate_dynamodb_errors("deleting a conversation"):
                self._table.put_item(
                    Item={**items.conversation_key(tenant, conversation_id), **gone},
                    ConditionExpression="attribute_exists(pk)",
                )
        except ConflictError as absent:
            raise NotFoundError("no such conversation") from absent

    def list_messages(
        self,
        tenant: str,
        conversation_id: str,
        *,
        limit: int,
        after: dict[str, str] | None,
        newest_first: bool = False,
    ) -> Page[Message]:
        query = items.messages_query(tenant, conversation_id)
        found, last = self._query(query, limit=limit, after=after, forward=not newest_first)
        return Page(tuple(map(items.message_of, found)), last)

    def get_message(self, tenant: str, conversation_id: str, message_id: str) -> Message:
        item = self._item(items.conversation_key(tenant, conversation_id, f"MSG#{message_id}"))
        if item is None:
            raise NotFoundError("no such message")
        return items.message_of(item)

    def list_recent_messages(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        query = items.messages_query(tenant, conversation_id, after=after)
        found, _ = self._query(query, limit=limit, after=None, forward=False)
        return [items.message_of(item) for item in reversed(found)]

    def get_provenance(self, tenant: str, conversation_id: str, message_id: str) -> PromptProvenance:
        item = self._item(items.conversation_key(tenant, conversation_id, f"PROMPT#{message_id}"))
        if item is None:
            raise NotFoundError("nothing is known of this message's prompt")
        return PromptProvenance.model_validate_json(item["body"])

    def find_turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        item = self._item(items.conversation_key(tenant, conversation_id, items.turn_sort_key(request_key)))
        if item is None or int(item["expires_at"]) <= self._clock().timestamp():
            return None
        return Turn.model_validate_json(item["body"])

    def add_turn(
        self,
        tenant: str,
        conversation_id: str,
        turn: Turn,
        *,
        request_key: str,
        title: str | None,
        trace: TurnMetadata = NO_METADATA,
    ) -> None:
        asked = {
            **items.conversation_key(tenant, conversation_id, items.turn_sort_key(request_key)),
            "body": turn.model_dump_json(),
        }
        said = (
            items.message_item(tenant, conversation_id, message) for message in (turn.user, turn.assistant)
        )
        left = (
            *items.turn_unprocessed_items(tenant, conversation_id, turn),
            *items.metadata_items(tenant, conversation_id, trace),
        )
        meta = items.conversation_key(tenant, conversation_id)
        writes = [self._first(asked), *(self._put(Item=item) for item in (*said, *left))]
        writes.append(self._count(meta, turn, title, trace))
        try:
            write_transaction(self._table.meta.client, writes, doing="storing a turn")
        except ConflictError as lost:
            covered = self.get_conversation(tenant, conversation_id).marks.summary_checkpoint.until
            if covered is not None and covered >= turn.user.message_id:
                raise ConflictError("a summary has gone past this turn", code="covered") from lost
            raise

    def _first(self, item: Item) -> Item:
        """Write an item that remembers a request for a day, unless one does already."""
        now = self._clock()
        return self._put(
            Item={**item, "expires_at": epoch_seconds(now + REQUEST_LIFETIME)},
            ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now",
            ExpressionAttributeValues={":now": epoch_seconds(now)},
        )

    def _count(self, key: dict[str, str], turn: Turn, title: str | None, trace: TurnMetadata) -> Item:
        update, values = items.counters_update(turn, trace)
        return self._update(
            Key=key,
            UpdateExpression=update + (", title = if_not_exists(title, :title)" if title else ""),
            ConditionExpression=f"{ALIVE} AND (attribute_not_exists(covered) OR covered < :first)",
            ExpressionAttributeValues=values | ({":title": title} if title else {}),
        )

    def _put(self, **put: Any) -> Item:
        return {"Put": {"TableName": self._table.name, **put}}

    def _update(self, **update: Any) -> Item:
        return {"Update": {"TableName": self._table.name, **update}}

    def _item(self, key: dict[str, str]) -> Item | None:
        with translate_dynamodb_errors("reading a conversation"):
            return self._table.meta.client.get_item(
                TableName=self._table.name, Key=key, ConsistentRead=True
            ).get("Item")

    def _conversations(self, tenant: str, ids: list[str]) -> list[Conversation]:
        """Return those of the conversations that are there, in the order of `ids`."""
        keys = [items.conversation_key(tenant, each) for each in ids]
        read = map(items.conversation_of, get_items(self._table, keys, doing="listing conversations"))
        found = {each.conversation_id: each for each in read if each}
        return [found[each] for each in ids if each in found]

    def _query(
        self, query: dict[str, Any], *, limit: int, after: dict[str, str] | None, forward: bool
    ) -> tuple[list[Item], dict[str, str] | None]:
        start: dict[str, Any] = {"ExclusiveStartKey": after} if after else {}
        with translate_dynamodb_errors("reading a conversation"):
            answer: Any = self._table.meta.client.query(
                TableName=self._table.name, Limit=limit, ScanIndexForward=forward, **query, **start
            )
        return answer["Items"], answer.get("LastEvaluatedKey")


ITEMS_PER_CALL = 400
"""Items removed in one go: about a second's share of what one partition takes (1,000 write units)."""
WORKERS = 8
"""Removed side by side, one by one: the grant for a batch of removals would be one for a batch of writes."""


class DynamoDeletedConversationItems:
    def __init__(self, table: "Table", contents: BlobStore) -> None:
        self._table, self._contents = table, contents

    def remove_batch(self, tenant: str, conversation_id: str) -> bool:
        meta = items.conversation_key(tenant, conversation_id)
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(meta["pk"]),
            "ProjectionExpression": "pk, sk, spilled",
        }
        with translate_dynamodb_errors("removing a conversation"):
            found = self._table.get_item(Key=meta, ConsistentRead=True).get("Item", {"deleted_at": ""})
            if "deleted_at" not in found:
                return False
            answer = self._table.query(**query, ConsistentRead=True, Limit=ITEMS_PER_CALL)
        with ThreadPoolExecutor(WORKERS) as hands:
            list(hands.map(self._drop, (item for item in answer["Items"] if item["sk"] != meta["sk"])))
        return "LastEvaluatedKey" in answer

    def _drop(self, item: Item) -> None:
        if "spilled" in item:
            self._contents.delete_text(str(item["spilled"]))
        with translate_dynamodb_errors("removing a conversation"):
            self._table.meta.client.delete_item(
                TableName=self._table.name, Key={"pk": item["pk"], "sk": item["sk"]}
            )
