"""A user's conversations: those they own go whole; of others goes what they said, and what was made of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Key

from membus.adapters import conversation_items as items
from membus.adapters.dynamo_conversations import DynamoConversations
from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.adapters.dynamo_removal import query_pages, remove_items
from membus.adapters.erasing_membership import MemberMessageEraser
from membus.adapters.s3_versions import S3ObjectVersions
from membus.domain.conversation import Conversation
from membus.domain.identity import Owner
from membus.errors import ConflictError, NotFoundError
from membus.ports.erasures import ErasureCount

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from membus.ports.hot_tier import ConversationCache
    from membus.ports.remains import DeletedConversationItems


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
    ) -> ErasureCount:  # noqa: ARG002
        removed: Counter[str] = Counter()
        if self._tier:
            self._tier.forget(owner)
        noted = self._noted(owner) if settled else {}
        for conversation_id in dict.fromkeys([*noted, *self._listed(owner)]):
            if settled:
                removed.update(self._left_by(owner, conversation_id, noted.get(conversation_id)))
                remove_items(self._table, [_note(owner, conversation_id)], doing="erasing conversations")
            else:
                self._put_note(owner, conversation_id)
                removed.update(self._left_by(owner, conversation_id, None))
            if self._tier:
                self._tier.drop(owner.tenant, conversation_id)
            if not time_left():
                return ErasureCount(removed, "more")
        return ErasureCount(removed)

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> ErasureCount:  # noqa: ARG002
        found: Counter[str] = Counter()
        for conversation_id in self._listed(owner):
            conversation = self._find(owner.tenant, conversation_id)
            if conversation and conversation.user_id == owner.user:
                found["conversations"] += 1
            elif conversation:
                found["memberships"] += 1
                found["messages"] += self._words.count(owner.user, conversation)
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
        outline = conversation.marks.covered.version + 1 if conversation else 0
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
            anew = outline is not None and conversation.marks.covered.version > outline
            words = self._words.remove(owner.user, conversation, anew=anew, again=outline is not None)
            removed = {"memberships": int(outline is None), "messages": words}
        elif conversation:
            self._conversations.delete(owner.tenant, conversation_id)
            removed = {"conversations": 1}
        if conversation is None or conversation.user_id == owner.user:
            while self._remains.remove(owner.tenant, conversation_id):
                pass
            self._versions.purge(f"spill/results/{owner.tenant}/{conversation_id}/")
        entry = items.conversation_key(owner.tenant, conversation_id, f"MEMBER#{owner.user}")
        remove_items(self._table, [entry], doing="erasing a membership")
        return removed

    def _find(self, tenant: str, conversation_id: str) -> Conversation | None:
        try:
            return self._conversations.conversation(tenant, conversation_id)
        except NotFoundError:
            return None


def _note(owner: Owner, conversation_id: str) -> dict[str, str]:
    return {"pk": f"T#{owner.tenant}#U#{owner.user}", "sk": f"{ERASURE_NOTE}{conversation_id}"}
