"""Purge of single events from chat: the turns that they tell of, and what waits for extraction to read it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import user_pk
from membus.aws.dynamodb.table import DynamoTable, Item, read_body, within
from membus.aws.s3 import S3ObjectVersions
from membus.conversations.conversation import TURN_EVENT_PREFIX, Conversation
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_items import UNPROCESSED_PREFIX
from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages
from membus.conversations.erasure import MemberMessages, list_conversation_ids
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.core.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from membus.conversations.ports import ConversationCache


class TurnPurger:
    """Removes turns from conversations, whoever owns them; summaries begin anew from what is left."""

    name = "conversations"

    def __init__(
        self,
        table: "Table",
        conversations: DynamoConversations,
        versions: S3ObjectVersions,
        tier: "ConversationCache | None",
        events: Sequence[str],
    ) -> None:
        self._table, self._conversations, self._tier = DynamoTable(table), conversations, tier
        self._messages = MemberMessages(self._table, conversations, versions)
        self._ids = {
            each.removeprefix(TURN_EVENT_PREFIX) for each in events if each.startswith(TURN_EVENT_PREFIX)
        }

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        removed = 0
        if self._tier:
            self._tier.evict_user(owner)
        for conversation, gone in self._find(owner):
            try:
                self._messages.remove_messages(conversation, gone, again=step.settled)
            except ConflictError as busy:
                raise UnavailableError("a turn came in between: the purge goes on later") from busy
            removed += len(gone)
            if self._tier:
                self._tier.evict_conversation(owner.tenant, conversation.conversation_id)
        return ErasureCount({"messages": removed})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({"messages": sum(len(gone) for _, gone in self._find(owner))})

    def _find(self, owner: Owner) -> list[tuple[Conversation, list[Item]]]:
        """Return the conversations that hold turns of these events, each with their messages."""
        found: list[tuple[Conversation, list[Item]]] = []
        for conversation_id in list_conversation_ids(self._table, owner) if self._ids else ():
            try:
                conversation = self._conversations.get_conversation(owner.tenant, conversation_id)
            except NotFoundError:
                continue
            if gone := self._messages.find_turns(self._ids, conversation):
                found.append((conversation, gone))
        return found


class UnprocessedPurger:
    """Removes what a user just said, which the next prompts would show until it is read."""

    name = "unprocessed"

    def __init__(self, table: "Table", unprocessed: DynamoUnprocessedMessages, events: Sequence[str]) -> None:
        self._table, self._unprocessed, self._events = DynamoTable(table), unprocessed, frozenset(events)

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        found = self._find(owner)
        self._unprocessed.mark_processed(owner, [each.sort_key for each in found])
        return ErasureCount({"unprocessed": len(found)})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({"unprocessed": len(self._find(owner))})

    def _find(self, owner: Owner) -> list[UnprocessedMessage]:
        items = self._table.query(within(user_pk(owner), UNPROCESSED_PREFIX), doing="purging what was said")
        said = (read_body(item, UnprocessedMessage) for item in items)
        return [each for each in said if each.event_id in self._events]
