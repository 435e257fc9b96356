"""Restores conversations of an export file to DynamoDB, with an operator's permissions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from membus.aws.dynamodb.table import ABSENT, DynamoTable, Write, put_item, update_item
from membus.conversations import dynamodb_items as items
from membus.conversations.conversation import Conversation, Message
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_summaries import DynamoSummaries, summary_item
from membus.conversations.summary import Summary, SummaryIndex
from membus.conversations.window import message_tokens
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.retry import RetryPolicy, commit_with_retry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

MESSAGES_PER_TRANSACTION = 9
"""A transaction takes 4 MB, and a message up to 400 KB."""
RESTORE_RETRY = RetryPolicy(tries=3, pause_seconds=0.05)


class DynamoRestoredConversations:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = DynamoTable(table)
        self._conversations, self._summaries = DynamoConversations(table, clock), DynamoSummaries(table)

    def restore_conversation(self, conversation: Conversation) -> Conversation:
        members = items.member_items(conversation).values()
        writes = [put_item(items.meta_item(conversation), ABSENT), *map(put_item, members)]
        tenant, where = conversation.tenant_id, conversation.conversation_id
        try:
            self._table.transact(writes, doing="restoring a conversation")
        except ConflictError as taken:
            try:
                return self._conversations.get_conversation(tenant, where)
            except NotFoundError:
                raise ConflictError("this conversation was deleted here", code="deleted") from taken
        return conversation

    def restore_messages(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> int:
        return sum(
            self._restore_some(tenant, conversation_id, messages[start : start + MESSAGES_PER_TRANSACTION])
            for start in range(0, len(messages), MESSAGES_PER_TRANSACTION)
        )

    def restore_summaries(
        self, tenant: str, conversation_id: str, index: SummaryIndex, summaries: Sequence[Summary]
    ) -> bool:
        read = self._summaries.get_index(tenant, conversation_id)
        if read.last_checkpoint.version:
            return False
        writes = (put_item(summary_item(tenant, conversation_id, summary)) for summary in summaries)
        self._table.write_each(writes, doing="restoring summaries")
        self._summaries.save_index(tenant, conversation_id, index, read=read, summaries=())
        return True

    def _restore_some(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> int:
        stored = {
            message.message_id: items.message_item(tenant, conversation_id, message) for message in messages
        }

        def find_missing(_: int) -> list[Message]:
            keys = [{"pk": item["pk"], "sk": item["sk"]} for item in stored.values()]
            there = {str(item["sk"]) for item in self._table.get_batch(keys, doing="restoring messages")}
            return [each for each in messages if stored[each.message_id]["sk"] not in there]

        def add(missing: list[Message]) -> int:
            if missing:
                writes = [put_item(stored[each.message_id], ABSENT) for each in missing]
                count = _count_write(tenant, conversation_id, missing)
                self._table.transact([*writes, count], doing="restoring messages")
            return len(missing)

        return commit_with_retry(find_missing, add, policy=RESTORE_RETRY)


def _count_write(tenant: str, conversation_id: str, messages: Sequence[Message]) -> Write:
    return update_item(
        items.conversation_key(tenant, conversation_id),
        "SET message_count = message_count + :some, tokens = if_not_exists(tokens, :none) + :tokens",
        items.ALIVE,
        {":some": len(messages), ":tokens": sum(map(message_tokens, messages)), ":none": 0},
    )
