"""Conversations, their messages and turns in DynamoDB, and what is left of deleted ones.

A turn's item remembers for a day which request produced it, so that a retried request finds its answer and
does not ask the model again; so does `REQUEST` for a conversation's beginning.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.keys import conversation_pk, parse_conversation_key, status_pk
from membus.aws.dynamodb.table import (
    ABSENT,
    PAGE_ITEMS,
    PRESENT,
    WORKERS,
    DynamoTable,
    Item,
    Write,
    delete_item,
    put_item,
    read_body,
    update_item,
    within,
)
from membus.conversations import dynamodb_items as items
from membus.conversations.conversation import Conversation, ConversationStatus, Message, Turn
from membus.conversations.ports import NO_METADATA
from membus.conversations.provenance import PromptProvenance, TurnMetadata
from membus.core.blobs import BlobStore
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.pages import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

READING = "reading a conversation"


class DynamoConversations:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = DynamoTable(table), clock

    def create_conversation(self, conversation: Conversation, *, request_key: str) -> Conversation:
        request = items.request_item_key(conversation.tenant_id, request_key)
        writes = [
            self._first({**request, "conversation_id": conversation.conversation_id}),
            put_item(items.meta_item(conversation), ABSENT),
            *map(put_item, items.member_items(conversation).values()),
        ]
        try:
            self._table.transact(writes, doing="creating a conversation")
        except ConflictError:
            made = self._table.get(request, doing=READING)
            if made is None:
                raise
            return self.get_conversation(conversation.tenant_id, str(made["conversation_id"]))
        return conversation

    def get_conversation(self, tenant: str, conversation_id: str) -> Conversation:
        found = items.conversation_of(self._item(tenant, conversation_id))
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
        """Return conversations as their items say them; the index, which lags, only says where to look."""
        listed = self._table.query_page(
            Key("status_pk").eq(status_pk(tenant, status, user)),
            doing=READING,
            limit=limit,
            after=after,
            IndexName="by_status",
            ProjectionExpression="status_sk",
            ScanIndexForward=False,
        )
        ids = [str(entry["status_sk"]) for entry in listed.items]
        keys = [items.conversation_key(tenant, each) for each in ids]
        read = map(items.conversation_of, self._table.get_batch(keys, doing="listing conversations"))
        found = {each.conversation_id: each for each in read if each}
        known = (found[each] for each in ids if each in found)
        shown = (each for each in known if each.status == status and (user is None or user in each.people))
        return Page(tuple(shown), listed.after)

    def filter_by_participant(
        self, tenant: str, conversation_ids: Sequence[str], users: Collection[str]
    ) -> set[str]:
        """Ask for the entry of each user in each conversation: one request for a hundred of them."""
        keys = [
            items.conversation_key(tenant, each, f"MEMBER#{user}")
            for each in conversation_ids
            for user in sorted(users)
        ]
        found = self._table.get_batch(keys, doing="asking who takes part")
        return {named[1] for item in found if (named := parse_conversation_key(str(item["pk"])))}

    def update_conversation(self, before: Conversation, after: Conversation) -> None:
        values: Item = {
            ":read": before.version,
            ":version": after.version,
            ":status_pk": status_pk(after.tenant_id, after.status, None),
            ":body": items.conversation_body(after),
            **({":title": after.title} if after.title else {}),
        }
        titled = ", title = :title" if after.title else ""
        update = update_item(
            items.conversation_key(before.tenant_id, before.conversation_id),
            f"SET version = :version, status_pk = :status_pk, body = :body{titled}",
            f"{items.ALIVE} AND version = :read",
            values,
        )
        members = map(put_item, items.changed_member_items(before, after))
        try:
            self._table.transact([update, *members], doing="changing a conversation")
        except ConflictError as lost:
            stored = self.get_conversation(before.tenant_id, before.conversation_id)
            raise ConflictError("the conversation has changed", version=stored.version) from lost

    def delete_conversation(self, tenant: str, conversation_id: str) -> None:
        now = self._clock()
        gone: Item = {
            **items.conversation_key(tenant, conversation_id),
            "deleted_at": now.isoformat(),
            "expires_at": items.epoch_seconds(now + items.TOMBSTONE_LIFETIME),
        }
        try:
            self._table.write(put_item(gone, PRESENT), doing="deleting a conversation")
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
        found = self._table.query_page(
            items.messages_condition(tenant, conversation_id),
            doing=READING,
            limit=limit,
            after=after,
            ScanIndexForward=not newest_first,
        )
        return found.map(items.message_of)

    def get_message(self, tenant: str, conversation_id: str, message_id: str) -> Message:
        item = self._item(tenant, conversation_id, f"MSG#{message_id}")
        if item is None:
            raise NotFoundError("no such message")
        return items.message_of(item)

    def list_recent_messages(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        newest_first = self._table.query_page(
            items.messages_condition(tenant, conversation_id, after=after),
            doing=READING,
            limit=limit,
            ScanIndexForward=False,
        )
        return [items.message_of(item) for item in reversed(newest_first.items)]

    def get_provenance(self, tenant: str, conversation_id: str, message_id: str) -> PromptProvenance:
        item = self._item(tenant, conversation_id, f"PROMPT#{message_id}")
        if item is None:
            raise NotFoundError("nothing is known of this message's prompt")
        return read_body(item, PromptProvenance)

    def find_turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        item = self._item(tenant, conversation_id, items.turn_sort_key(request_key))
        if item is None or int(item["expires_at"]) <= self._clock().timestamp():
            return None
        return read_body(item, Turn)

    def add_turn(
        self,
        tenant: str,
        conversation_id: str,
        turn: Turn,
        *,
        request_key: str,
        title: str | None,
        metadata: TurnMetadata = NO_METADATA,
    ) -> None:
        request = items.conversation_key(tenant, conversation_id, items.turn_sort_key(request_key))
        update, values = items.counters_update(turn, metadata)
        count = update_item(
            items.conversation_key(tenant, conversation_id),
            update + (", title = if_not_exists(title, :title)" if title else ""),
            f"{items.ALIVE} AND (attribute_not_exists(covered) OR covered < :first)",
            values | ({":title": title} if title else {}),
        )
        said = map(put_item, items.turn_items(tenant, conversation_id, turn, metadata))
        writes = [self._first({**request, "body": turn.model_dump_json()}), *said, count]
        try:
            self._table.transact(writes, doing="storing a turn")
        except ConflictError as lost:
            covered = self.get_conversation(tenant, conversation_id).counters.summary_checkpoint.until
            if covered is not None and covered >= turn.user.message_id:
                raise ConflictError("a summary has gone past this turn", code="covered") from lost
            raise

    def _first(self, item: Item) -> Write:
        """Return the write of an item that remembers a request for a day, unless one does already."""
        now = self._clock()
        return put_item(
            {**item, "expires_at": items.epoch_seconds(now + items.REQUEST_LIFETIME)},
            f"{ABSENT} OR expires_at <= :now",
            {":now": items.epoch_seconds(now)},
        )

    def _item(self, tenant: str, conversation_id: str, sk: str = "META") -> Item | None:
        return self._table.get(items.conversation_key(tenant, conversation_id, sk), doing=READING)


class DynamoDeletedConversationItems:
    """Every item beside `META`, and the large text that it may name in `spilled`.

    The text goes first: an item that is left behind says where to go on, a text says nothing.
    """

    def __init__(self, table: "Table", contents: BlobStore, page_items: int = PAGE_ITEMS) -> None:
        self._table, self._contents, self._page_items = DynamoTable(table), contents, page_items

    def remove_batch(self, tenant: str, conversation_id: str) -> bool:
        meta = items.conversation_key(tenant, conversation_id)
        found = self._table.get(meta, doing="removing a conversation")
        if found and "deleted_at" not in found:
            return False
        page = self._table.query_page(
            within(conversation_pk(tenant, conversation_id)),
            doing="removing a conversation",
            limit=self._page_items,
            ProjectionExpression="pk, sk, spilled",
        )
        with ThreadPoolExecutor(WORKERS) as threads:
            list(threads.map(self._drop, (item for item in page.items if item["sk"] != meta["sk"])))
        return page.after is not None

    def _drop(self, item: dict[str, Any]) -> None:
        if "spilled" in item:
            self._contents.delete_text(str(item["spilled"]))
        self._table.write(delete_item({"pk": item["pk"], "sk": item["sk"]}), doing="removing a conversation")
