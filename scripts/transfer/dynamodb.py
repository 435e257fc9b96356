"""Conversations of an archive into DynamoDB, as `conversation_items` lays them out, with an operator's permissions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from membus.aws.dynamodb.batches import get_items
from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.conversations import dynamodb_items as items
from membus.conversations.conversation import Conversation, Message
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_items import ALIVE
from membus.conversations.dynamodb_summaries import DynamoSummaries, summary_item
from membus.conversations.summary import Summary, SummaryIndex
from membus.conversations.window import message_tokens
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

MESSAGES_PER_TRANSACTION = 9
"""A transaction takes 4 MB, and a message up to 400 KB."""
ATTEMPTS = 3


class DynamoRestoredConversations:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = table
        self._conversations, self._summaries = DynamoConversations(table, clock), DynamoSummaries(table)

    def restore_conversation(self, conversation: Conversation) -> Conversation:
        new = {"ConditionExpression": "attribute_not_exists(pk)"}
        entries = items.member_items(conversation).values()
        writes = [
            self._put(Item=items.meta_item(conversation), **new),
            *(self._put(Item=each) for each in entries),
        ]
        try:
            write_transaction(self._table.meta.client, writes, doing="restoring a conversation")
        except ConflictError as taken:
            try:
                return self._conversations.get_conversation(
                    conversation.tenant_id, conversation.conversation_id
                )
            except NotFoundError:
                raise ConflictError("this conversation was deleted here", code="deleted") from taken
        return conversation

    def restore_messages(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> int:
        return sum(
            self._told(tenant, conversation_id, messages[start : start + MESSAGES_PER_TRANSACTION])
            for start in range(0, len(messages), MESSAGES_PER_TRANSACTION)
        )

    def restore_summaries(
        self, tenant: str, conversation_id: str, outline: SummaryIndex, summaries: Sequence[Summary]
    ) -> bool:
        read = self._summaries.get_index(tenant, conversation_id)
        if read.last_checkpoint.version:
            return False
        with translate_dynamodb_errors("restoring summaries"), self._table.batch_writer() as batch:
            for summary in summaries:
                batch.put_item(Item=summary_item(tenant, conversation_id, summary))
        self._summaries.save_index(tenant, conversation_id, outline, read=read, summaries=())
        return True

    def _told(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> int:
        for tries_left in reversed(range(ATTEMPTS)):
            missing = self._missing(tenant, conversation_id, messages)
            if not missing:
                return 0
            try:
                write_transaction(
                    self._table.meta.client,
                    self._writes(tenant, conversation_id, missing),
                    doing="restoring messages",
                )
            except ConflictError:
                if not tries_left:
                    raise
            else:
                return len(missing)
        raise AssertionError("every try returns or raises")

    def _missing(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> list[Message]:
        keys = {
            each.message_id: items.conversation_key(tenant, conversation_id, f"MSG#{each.message_id}")
            for each in messages
        }
        there = {
            str(item["sk"])
            for item in get_items(self._table, list(keys.values()), doing="restoring messages")
        }
        return [each for each in messages if keys[each.message_id]["sk"] not in there]

    def _writes(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> list[Any]:
        new = {"ConditionExpression": "attribute_not_exists(pk)"}
        puts = [self._put(Item=items.message_item(tenant, conversation_id, each), **new) for each in messages]
        counted = {":some": len(messages), ":tokens": sum(map(message_tokens, messages)), ":none": 0}
        count = {
            "TableName": self._table.name,
            "Key": items.conversation_key(tenant, conversation_id),
            "UpdateExpression": "SET message_count = message_count + :some, "
            "tokens = if_not_exists(tokens, :none) + :tokens",
            "ConditionExpression": ALIVE,
            "ExpressionAttributeValues": counted,
        }
        return [*puts, {"Update": count}]

    def _put(self, **put: Any) -> Any:
        return {"Put": {"TableName": self._table.name, **put}}
