"""A user's conversations: those they own go whole; of others goes what they said, and what was made of it.

A member's words in somebody else's conversation.

They go, and what was told of the conversation begins anew.

What one member has said in a conversation and what was answered to it, told apart from what others said.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.batches import query_pages, remove_items
from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.aws.s3 import S3ObjectVersions
from membus.conversations import dynamodb_items as items
from membus.conversations.conversation import Conversation, Turn, make_title, tool_results_prefix
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_items import Item, message_of
from membus.conversations.provenance import PromptProvenance
from membus.conversations.summary import SummaryCheckpoint, SummaryIndex
from membus.conversations.window import message_tokens
from membus.core.erasure import ErasureCount
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from membus.conversations.ports import ConversationCache, DeletedConversationItems


def messages_of_member(user: str, messages: Sequence[Item], prompts: Iterable[Item]) -> list[Item]:
    """Return the user's messages and the answers to them, which repeat what they were asked.

    A reply's prompt names whose it was. Where there is none, it answers the message before it.
    """
    authors = {made.message_id: made.author for made in map(_prompt_provenance, prompts)}
    found: list[Item] = []
    asked_by = ""
    for item in messages:
        message = message_of(item)
        asked_by = message.author if message.role == "user" else authors.get(message.message_id, asked_by)
        if asked_by == user:
            found.append(item)
    return found


def without_quotes(prompt: Item) -> Item | None:
    """Return how a reply's prompt is kept without the words that it quotes; None where it quotes none."""
    made = _prompt_provenance(prompt)
    if not made.entities:
        return None
    return prompt | {"body": made.model_copy(update={"entities": ""}).model_dump_json()}


def message_ids(turn: Item) -> set[str]:
    """Return the sort keys of both messages that a request brought."""
    said = Turn.model_validate_json(str(turn["body"]))
    return {f"MSG#{said.user.message_id}", f"MSG#{said.assistant.message_id}"}


def automatic_titles(messages: Iterable[Item]) -> set[str]:
    """Return the titles that messages give a conversation by themselves."""
    return {make_title(message_of(item).content) for item in messages}


def tokens_of(messages: Iterable[Item]) -> int:
    return sum(message_tokens(message_of(item)) for item in messages)


def _prompt_provenance(prompt: Item) -> PromptProvenance:
    return PromptProvenance.model_validate_json(str(prompt["body"]))


BEFORE_ALL = "0"
"""The border of an outline that tells of nothing yet: every message lies behind it."""


class MemberMessageEraser:
    def __init__(
        self, table: "Table", conversations: DynamoConversations, versions: S3ObjectVersions
    ) -> None:
        self._table, self._conversations, self._versions = table, conversations, versions

    def count_messages(self, user: str, conversation: Conversation) -> int:
        return len(self._gone(user, conversation))

    def remove_member(self, user: str, conversation: Conversation, *, anew: bool, again: bool) -> int:
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
                    self._versions.purge_prefix(f"spill/{item['spilled']}")
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
        version = conversation.marks.summary_checkpoint.version + 1
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
                ":borders": f"[{blank.last_checkpoint.model_dump_json()}]",
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
        for page in list(self._versions.list_versions(f"spill/{tool_results_prefix(conversation)}")):
            self._versions.delete_versions([each for each in page if each.key not in named])

    def _quote_nothing(self, conversation: Conversation) -> None:
        for prompt in self._items(conversation, "PROMPT#"):
            if kept := without_quotes(prompt):
                with translate_dynamodb_errors("erasing what a prompt quotes"):
                    self._table.put_item(Item=kept)

    def _part(self, user: str, conversation: Conversation) -> None:
        known = self._conversations.get_conversation(conversation.tenant_id, conversation.conversation_id)
        if user in known.members:
            members = tuple(each for each in known.members if each != user)
            after = known.model_copy(update={"members": members, "version": known.version + 1})
            self._conversations.update_conversation(known, after)

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


ERASURE_NOTE = "TALK#"
"""The sort key, in the user's partition, of what keeps a conversation in mind until the second round."""


class ConversationEraser:
    """`tier` is the hot tier, where there is one: a window there is dropped with the messages it holds.

    The entry in a conversation goes with the user's words, so that others may go on there at once. A turn or
    a summary that was under way meanwhile is stored behind that, where no index leads: a note leads there in
    the second round.
    """

    name = "conversations"

    def __init__(
        self,
        table: "Table",
        conversations: DynamoConversations,
        remains: "DeletedConversationItems",
        versions: S3ObjectVersions,
        tier: "ConversationCache | None",
    ) -> None:
        self._table, self._conversations, self._remains, self._tier = table, conversations, remains, tier
        self._versions, self._words = versions, MemberMessageEraser(table, conversations, versions)

    def erase(
        self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool
    ) -> ErasureCount:
        removed: Counter[str] = Counter()
        if self._tier:
            self._tier.evict_user(owner)
        noted = self._noted(owner) if settled else {}
        for conversation_id in dict.fromkeys([*noted, *self._listed(owner)]):
            if settled:
                removed.update(self._left_by(owner, conversation_id, noted.get(conversation_id)))
                remove_items(self._table, [_note(owner, conversation_id)], doing="erasing conversations")
            else:
                self._put_note(owner, conversation_id)
                removed.update(self._left_by(owner, conversation_id, None))
            if self._tier:
                self._tier.evict_conversation(owner.tenant, conversation_id)
            if not time_left():
                return ErasureCount(removed, "more")
        return ErasureCount(removed)

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> ErasureCount:
        found: Counter[str] = Counter()
        for conversation_id in self._listed(owner):
            conversation = self._find(owner.tenant, conversation_id)
            if conversation and conversation.user_id == owner.user:
                found["conversations"] += 1
            elif conversation:
                found["memberships"] += 1
                found["messages"] += self._words.count_messages(owner.user, conversation)
        return ErasureCount(found)

    def _listed(self, owner: Owner) -> Iterator[str]:
        """Yield the conversations that the user owns, is a member of, or was one of."""
        for status in ("active", "archived", items.FORMER_MEMBER):
            listed = Key("status_pk").eq(f"T#{owner.tenant}#U#{owner.user}#{status}")
            query = {
                "IndexName": "by_status",
                "KeyConditionExpression": listed,
                "ProjectionExpression": "status_sk",
            }
            for page in list(query_pages(self._table, query, doing="erasing conversations")):
                yield from (str(each["status_sk"]) for each in page)

    def _noted(self, owner: Owner) -> dict[str, int]:
        """Return the conversations of the first round, each with the version of the outline that it left."""
        partition = Key("pk").eq(f"T#{owner.tenant}#U#{owner.user}") & Key("sk").begins_with(ERASURE_NOTE)
        query = {"KeyConditionExpression": partition, "ConsistentRead": True}
        found = (
            item for page in query_pages(self._table, query, doing="erasing conversations") for item in page
        )
        return {str(item["sk"]).removeprefix(ERASURE_NOTE): int(item["outline"]) for item in found}

    def _put_note(self, owner: Owner, conversation_id: str) -> None:
        """Note a conversation before anything of it goes.

        The first note stays, it is the most careful one.
        """
        conversation = self._find(owner.tenant, conversation_id)
        outline = conversation.marks.summary_checkpoint.version + 1 if conversation else 0
        note = _note(owner, conversation_id) | {"outline": outline}
        with suppress(ConflictError), translate_dynamodb_errors("erasing conversations"):
            self._table.put_item(Item=note, ConditionExpression="attribute_not_exists(pk)")

    def _left_by(self, owner: Owner, conversation_id: str, outline: int | None) -> Mapping[str, int]:
        """Leave of one conversation what others said; the entry that led here goes last.

        Of the second round `outline` is the newest version that cannot tell of the user: what came behind it
        may.
        """
        conversation = self._find(owner.tenant, conversation_id)
        removed: Mapping[str, int] = {}
        if conversation and conversation.user_id != owner.user:
            anew = outline is not None and conversation.marks.summary_checkpoint.version > outline
            words = self._words.remove_member(owner.user, conversation, anew=anew, again=outline is not None)
            removed = {"memberships": int(outline is None), "messages": words}
        elif conversation:
            self._conversations.delete_conversation(owner.tenant, conversation_id)
            removed = {"conversations": 1}
        if conversation is None or conversation.user_id == owner.user:
            while self._remains.remove_batch(owner.tenant, conversation_id):
                pass
            self._versions.purge_prefix(f"spill/results/{owner.tenant}/{conversation_id}/")
        entry = items.conversation_key(owner.tenant, conversation_id, f"MEMBER#{owner.user}")
        remove_items(self._table, [entry], doing="erasing a membership")
        return removed

    def _find(self, tenant: str, conversation_id: str) -> Conversation | None:
        try:
            return self._conversations.get_conversation(tenant, conversation_id)
        except NotFoundError:
            return None


def _note(owner: Owner, conversation_id: str) -> dict[str, str]:
    return {"pk": f"T#{owner.tenant}#U#{owner.user}", "sk": f"{ERASURE_NOTE}{conversation_id}"}
