"""Erasure of a user's conversations: those they own go whole, of others goes what they said and its traces.

Of a conversation that somebody else owns go a member's messages, the answers to them, and the summaries,
slots and prompts that were made of them; summaries begin anew from what is left.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.keys import SUMMARY_PREFIX, ItemKey, conversation_pk, status_pk, user_pk
from membus.aws.dynamodb.table import ABSENT, DynamoTable, Item, put_item, read_body, update_item, within
from membus.aws.s3 import S3ObjectVersions
from membus.conversations.conversation import Conversation, Turn, make_title, tool_results_prefix
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_items import ALIVE, FORMER_MEMBER, conversation_key, message_of
from membus.conversations.provenance import PromptProvenance
from membus.conversations.summary import SummaryCheckpoint, SummaryIndex
from membus.conversations.window import message_tokens
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from membus.conversations.ports import ConversationCache, DeletedConversationItems


BEFORE_ALL = "0"
"""The checkpoint of an index that summarises nothing yet: every message lies behind it."""
ERASURE_NOTE = "TALK#"
"""The sort key, in the user's partition, of what keeps a conversation in mind until the second round."""


class ConversationEraser:
    """`tier` is the cache, where there is one: a window there is dropped with the messages it holds.

    The entry in a conversation goes with the user's messages, so that others may go on there at once. A turn
    or a summary that was under way meanwhile is stored behind that, where no index leads: a note leads there
    in the second round.
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
        self._table, self._conversations, self._remains = DynamoTable(table), conversations, remains
        self._versions, self._tier = versions, tier
        self._members = MemberMessages(self._table, conversations, versions)

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        removed: Counter[str] = Counter()
        if self._tier:
            self._tier.evict_user(owner)
        noted = self._noted(owner) if step.settled else {}
        for conversation_id in dict.fromkeys([*noted, *self._listed(owner)]):
            if step.settled:
                removed.update(self._erase_from(owner, conversation_id, noted.get(conversation_id)))
                self._table.delete_items([_note_key(owner, conversation_id)], doing="erasing conversations")
            else:
                self._put_note(owner, conversation_id)
                removed.update(self._erase_from(owner, conversation_id, None))
            if self._tier:
                self._tier.evict_conversation(owner.tenant, conversation_id)
            if not step.time_left():
                return ErasureCount(removed, "more")
        return ErasureCount(removed)

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        found: Counter[str] = Counter(conversations=0, memberships=0, messages=0)
        for conversation_id in self._listed(owner):
            conversation = self._find(owner.tenant, conversation_id)
            if conversation and conversation.user_id == owner.user:
                found["conversations"] += 1
            elif conversation:
                found["memberships"] += 1
                found["messages"] += len(self._members.find_messages(owner.user, conversation))
        return ErasureCount(found)

    def _listed(self, owner: Owner) -> Iterator[str]:
        return list_conversation_ids(self._table, owner)

    def _noted(self, owner: Owner) -> dict[str, int]:
        """Return the conversations of the first round, each with the version of the index that it left."""
        notes = self._table.query(within(user_pk(owner), ERASURE_NOTE), doing="erasing conversations")
        return {str(item["sk"]).removeprefix(ERASURE_NOTE): int(item["outline"]) for item in notes}

    def _put_note(self, owner: Owner, conversation_id: str) -> None:
        """Note a conversation before anything of it goes; the first note stays, the most careful one."""
        conversation = self._find(owner.tenant, conversation_id)
        outline = conversation.counters.summary_checkpoint.version + 1 if conversation else 0
        note = {**_note_key(owner, conversation_id), "outline": outline}
        with suppress(ConflictError):
            self._table.write(put_item(note, ABSENT), doing="erasing conversations")

    def _erase_from(self, owner: Owner, conversation_id: str, outline: int | None) -> Mapping[str, int]:
        """Leave of one conversation what others said; the entry that led here goes last.

        In the second round `outline` is the newest version that cannot tell of the user: a later one may.
        """
        conversation = self._find(owner.tenant, conversation_id)
        removed: Mapping[str, int] = {}
        if conversation and conversation.user_id != owner.user:
            anew = outline is not None and conversation.counters.summary_checkpoint.version > outline
            messages = self._members.remove_member(
                owner.user, conversation, anew=anew, again=outline is not None
            )
            removed = {"memberships": int(outline is None), "messages": messages}
        elif conversation:
            self._conversations.delete_conversation(owner.tenant, conversation_id)
            removed = {"conversations": 1}
        if conversation is None or conversation.user_id == owner.user:
            while self._remains.remove_batch(owner.tenant, conversation_id):
                pass
            self._versions.purge_prefix(f"spill/results/{owner.tenant}/{conversation_id}/")
        entry = conversation_key(owner.tenant, conversation_id, f"MEMBER#{owner.user}")
        self._table.delete_items([entry], doing="erasing a membership")
        return removed

    def _find(self, tenant: str, conversation_id: str) -> Conversation | None:
        try:
            return self._conversations.get_conversation(tenant, conversation_id)
        except NotFoundError:
            return None


def list_conversation_ids(table: DynamoTable, owner: Owner) -> Iterator[str]:
    """Yield the conversations that a user owns, is a member of, or was one of."""
    for status in ("active", "archived", FORMER_MEMBER):
        entries = table.query(
            Key("status_pk").eq(status_pk(owner.tenant, status, owner.user)),
            doing="erasing conversations",
            IndexName="by_status",
            ProjectionExpression="status_sk",
        )
        yield from [str(each["status_sk"]) for each in entries]


def _note_key(owner: Owner, conversation_id: str) -> ItemKey:
    return {"pk": user_pk(owner), "sk": f"{ERASURE_NOTE}{conversation_id}"}


class MemberMessages:
    """What one member left in a conversation that somebody else owns, or single messages of any author."""

    def __init__(
        self, table: DynamoTable, conversations: DynamoConversations, versions: S3ObjectVersions
    ) -> None:
        self._table, self._conversations, self._versions = table, conversations, versions

    def find_messages(self, user: str, conversation: Conversation) -> list[Item]:
        """Return the user's messages and the answers to them, which repeat what they were asked.

        A reply's prompt names whose it was. Where there is none, it answers the message before it.
        """
        prompts = map(_provenance_of, self._items(conversation, "PROMPT#"))
        authors = {made.message_id: made.author for made in prompts}
        found: list[Item] = []
        asked_by = ""
        for item in self._items(conversation, "MSG#"):
            message = message_of(item)
            asked_by = message.author if message.role == "user" else authors.get(message.message_id, asked_by)
            if asked_by == user:
                found.append(item)
        return found

    def remove_member(self, user: str, conversation: Conversation, *, anew: bool, again: bool) -> int:
        """Remove what a member said and what was answered to it, and strike them from the members.

        Summaries and slots go with it, or because they are to begin `anew`: they are written again from what
        is left, once that is due. Done `again`, prompts that were made meanwhile quote nothing either.

        Raises:
            ConflictError: a turn came in between; then it may be done again.
        """
        gone = self.find_messages(user, conversation)
        self.remove_messages(conversation, gone, anew=anew, again=again)
        self._strike_member(user, conversation)
        return len(gone)

    def remove_messages(
        self, conversation: Conversation, gone: list[Item], *, anew: bool = False, again: bool = False
    ) -> None:
        """Remove messages, what was made of them, and what prompts and tools quote of the conversation."""
        if gone or anew:
            self._restart_summaries(conversation, gone)
            derived = self._derived_items(conversation, gone)
            self._table.delete_items(derived, doing="erasing what was made of messages")
        if gone or again:
            self._remove_quotes(conversation)
        for item in gone:
            if "spilled" in item:
                self._versions.purge_prefix(f"spill/{item['spilled']}")
        self._table.delete_items(gone, doing="erasing messages")
        self._remove_tool_results(conversation)

    def find_turns(self, message_ids: Collection[str], conversation: Conversation) -> list[Item]:
        """Return messages of people by their ids, with the answers to them."""
        prompts = map(_provenance_of, self._items(conversation, "PROMPT#"))
        answers = {made.message_id for made in prompts if made.user_message_id in message_ids}
        found: list[Item] = []
        asked = ""
        for item in self._items(conversation, "MSG#"):
            message = message_of(item)
            asked = message.message_id if message.role == "user" else asked
            if asked in message_ids if message.role == "user" else message.message_id in answers:
                found.append(item)
            elif (
                message.role == "assistant"
                and asked in message_ids
                and found
                and found[-1]["sk"] == f"MSG#{asked}"
            ):
                found.append(item)  # its prompt is gone already, and it answers the message before it
        return found

    def _restart_summaries(self, conversation: Conversation, gone: list[Item]) -> None:
        """Let summaries begin again, behind a version that no summary under way has read.

        The figures are those of what is left: done again, they come out the same.
        """
        version = conversation.counters.summary_checkpoint.version + 1
        blank = SummaryIndex(borders=(SummaryCheckpoint(version=version, until=BEFORE_ALL),))
        left = [message_of(item) for item in self._items(conversation, "MSG#") if item not in gone]
        titles = {make_title(message_of(item).content) for item in gone}
        tenant, where = conversation.tenant_id, conversation.conversation_id
        update = update_item(
            conversation_key(tenant, where),
            "SET summary_version = :version, covered = :until, borders = :borders, message_count = :left, "
            f"tokens = :tokens REMOVE cut{', title' if conversation.title in titles else ''}",
            f"{ALIVE} AND message_count = :read",
            {
                ":version": version,
                ":until": BEFORE_ALL,
                ":borders": f"[{blank.last_checkpoint.model_dump_json()}]",
                ":left": len(left),
                ":tokens": sum(map(message_tokens, left)),
                ":read": conversation.message_count,
            },
        )
        slots = {**conversation_key(tenant, where, "SLOTS"), "body": blank.model_dump_json()}
        self._table.transact([update, put_item(slots)], doing="beginning a summary anew")

    def _derived_items(self, conversation: Conversation, gone: list[Item]) -> list[Item]:
        """Return summaries, slots, and the prompts and requests of the messages that go."""
        sort_keys = {str(item["sk"]) for item in gone}
        requests = [each for each in self._items(conversation, "TURN#") if _message_keys(each) & sort_keys]
        prompts = [{**gone[0], "sk": sk.replace("MSG#", "PROMPT#")} for sk in sort_keys]
        summaries = self._items(conversation, SUMMARY_PREFIX)
        return [*summaries, *self._items(conversation, "SLOTS#"), *requests, *prompts]

    def _remove_tool_results(self, conversation: Conversation) -> None:
        """Remove the results of tools that no message names: of turns not stored, and earlier ones.

        Nothing tells whose they are. A turn that is under way keeps its results once more when it is stored.
        """
        self._table.delete_items(self._items(conversation, "STEPS#"), doing="erasing what tools gave")
        named = {
            f"spill/{item['spilled']}" for item in self._items(conversation, "MSG#") if "spilled" in item
        }
        for page in list(self._versions.list_versions(f"spill/{tool_results_prefix(conversation)}")):
            self._versions.delete_versions([each for each in page if each.key not in named])

    def _remove_quotes(self, conversation: Conversation) -> None:
        """Keep how prompts were made without the words that they quote."""
        for prompt in self._items(conversation, "PROMPT#"):
            made = _provenance_of(prompt)
            if made.entities:
                kept = {**prompt, "body": made.model_copy(update={"entities": ""}).model_dump_json()}
                self._table.write(put_item(kept), doing="erasing what a prompt quotes")

    def _strike_member(self, user: str, conversation: Conversation) -> None:
        known = self._conversations.get_conversation(conversation.tenant_id, conversation.conversation_id)
        if user in known.members:
            members = tuple(each for each in known.members if each != user)
            after = known.model_copy(update={"members": members, "version": known.version + 1})
            self._conversations.update_conversation(known, after)

    def _items(self, conversation: Conversation, prefix: str) -> list[Item]:
        pk = conversation_pk(conversation.tenant_id, conversation.conversation_id)
        return list(self._table.query(within(pk, prefix), doing="reading a conversation"))


def _provenance_of(prompt: Item) -> PromptProvenance:
    return read_body(prompt, PromptProvenance)


def _message_keys(turn: Item) -> set[str]:
    """Return the sort keys of both messages that a request brought."""
    said = read_body(turn, Turn)
    return {f"MSG#{said.user.message_id}", f"MSG#{said.assistant.message_id}"}
