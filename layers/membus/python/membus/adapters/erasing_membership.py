"""A member's words in somebody else's conversation.

They go, and what was told of the conversation begins anew.
"""

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.adapters import conversation_items as items
from membus.adapters.conversation_items import Item
from membus.adapters.dynamo_conversations import DynamoConversations
from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.adapters.dynamo_removal import query_pages, remove_items
from membus.adapters.dynamo_transactions import write_transaction
from membus.adapters.erasing_turns import (
    automatic_titles,
    message_ids,
    messages_of_member,
    tokens_of,
    without_quotes,
)
from membus.adapters.s3_versions import S3ObjectVersions
from membus.domain.conversation import Conversation, tool_results_prefix
from membus.domain.summary import SummaryCheckpoint, SummaryIndex

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

BEFORE_ALL = "0"
"""The border of an outline that tells of nothing yet: every message lies behind it."""


class MemberMessageEraser:
    def __init__(
        self, table: "Table", conversations: DynamoConversations, versions: S3ObjectVersions
    ) -> None:
        self._table, self._conversations, self._versions = table, conversations, versions

    def count(self, user: str, conversation: Conversation) -> int:
        return len(self._gone(user, conversation))

    def remove(self, user: str, conversation: Conversation, *, anew: bool, again: bool) -> int:
        """Remove what a member said and what was answered to it, and strike them from the members.

        Summaries and slots go with it, or because they are to begin `anew`: they are written again from what
        is left, once that is due. Done `again`, prompts that were made meanwhile quote nothing either. Raises
        ConflictError where a turn comes in between; then it may be done again.
        """
        messages, gone = self._messages(conversation), self._gone(user, conversation)
        if gone or anew:
            self._begin_anew(conversation, messages, gone)
            remove_items(
                self._table, self._made_of(conversation, gone), doing="erasing what was made of messages"
            )
        if gone or again:
            self._quote_nothing(conversation)
        if gone:
            for item in gone:
                if "spilled" in item:
                    self._versions.purge(f"spill/{item['spilled']}")
            remove_items(self._table, gone, doing="erasing messages")
        self._drop_results(conversation)
        self._part(user, conversation)
        return len(gone)

    def _gone(self, user: str, conversation: Conversation) -> list[Item]:
        return messages_of_member(user, self._messages(conversation), self._items(conversation, "PROMPT#"))

    def _begin_anew(self, conversation: Conversation, messages: list[Item], gone: list[Item]) -> None:
        """Let summaries begin again, behind a version that no summary under way has read.

        The figures are those of what is left: done again, they come out the same.
        """
        version = conversation.marks.covered.version + 1
        blank = SummaryIndex(borders=(SummaryCheckpoint(version=version, until=BEFORE_ALL),))
        left = [item for item in messages if item not in gone]
        title = ", title" if conversation.title in automatic_titles(gone) else ""
        update: Any = {
            "TableName": self._table.name,
            "Key": items.conversation_key(conversation.tenant_id, conversation.conversation_id),
            "UpdateExpression": "SET summary_version = :version, covered = :until, borders = :borders, "
            f"message_count = :left, tokens = :tokens REMOVE cut{title}",
            "ConditionExpression": f"{items.ALIVE} AND message_count = :read",
            "ExpressionAttributeValues": {
                ":version": version,
                ":until": BEFORE_ALL,
                ":borders": f"[{blank.border.model_dump_json()}]",
                ":left": len(left),
                ":tokens": tokens_of(left),
                ":read": conversation.message_count,
            },
        }
        slots = {**items.conversation_key(conversation.tenant_id, conversation.conversation_id, "SLOTS")}
        put: Any = {"TableName": self._table.name, "Item": slots | {"body": blank.model_dump_json()}}
        write_transaction(
            self._table.meta.client, [{"Update": update}, {"Put": put}], doing="beginning a summary anew"
        )

    def _made_of(self, conversation: Conversation, gone: list[Item]) -> list[Item]:
        """Return summaries, slots, and the prompts and requests of the messages that go."""
        keys = {str(item["sk"]) for item in gone}
        requests = [each for each in self._items(conversation, "TURN#") if message_ids(each) & keys]
        prompts = [{**gone[0], "sk": key.replace("MSG#", "PROMPT#")} for key in keys]
        derived = (self._items(conversation, prefix) for prefix in ("SUMMARY#", "SLOTS#"))
        return [*(item for items in derived for item in items), *requests, *prompts]

    def _drop_results(self, conversation: Conversation) -> None:
        """Remove what tools gave to turns that are not stored, or gave before the results that a message names.

        Nothing tells whose that is. A turn that is under way keeps its results once more when it is stored.
        """
        remove_items(self._table, self._items(conversation, "STEPS#"), doing="erasing what tools gave")
        named = {f"spill/{item['spilled']}" for item in self._messages(conversation) if "spilled" in item}
        for page in list(self._versions.pages(f"spill/{tool_results_prefix(conversation)}")):
            self._versions.remove([each for each in page if each.key not in named])

    def _quote_nothing(self, conversation: Conversation) -> None:
        for prompt in self._items(conversation, "PROMPT#"):
            if kept := without_quotes(prompt):
                with translate_dynamodb_errors("erasing what a prompt quotes"):
                    self._table.put_item(Item=kept)

    def _part(self, user: str, conversation: Conversation) -> None:
        known = self._conversations.conversation(conversation.tenant_id, conversation.conversation_id)
        if user in known.members:
            members = tuple(each for each in known.members if each != user)
            after = known.model_copy(update={"members": members, "version": known.version + 1})
            self._conversations.replace(known, after)

    def _messages(self, conversation: Conversation) -> list[Item]:
        return self._items(conversation, "MSG#")

    def _items(self, conversation: Conversation, prefix: str) -> list[Item]:
        pk = items.conversation_key(conversation.tenant_id, conversation.conversation_id)["pk"]
        query = {
            "KeyConditionExpression": Key("pk").eq(pk) & Key("sk").begins_with(prefix),
            "ConsistentRead": True,
        }
        return [
            item for page in query_pages(self._table, query, doing="reading a conversation") for item in page
        ]
