"""Conversations of an archive, row by row as they come.

As they were, under their user here, each part once.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from membus.domain.conversation import Conversation, Message, tool_results_key
from membus.domain.identity import Owner
from membus.domain.summary import Summary, SummaryIndex
from membus.domain.transfer import copied_conversation_id
from membus.errors import ConflictError, InvalidError, NotFoundError
from membus.ports.contents import BlobStore
from membus.ports.conversations import ConversationStore
from membus.ports.restoring import RestoredConversations
from scripts.transfer.rows import ArchiveRow

BATCH_MESSAGES = 100
"""Messages that are held in memory at once."""


@dataclass
class ConversationRestorer:
    """Goes on with the conversation that the last row began; `people` names the users of the archive here.

    Whoever is not named there is a member no more: a name of one tenant is somebody else in another.
    `restored` counts.
    """

    tenant: str
    people: Callable[[str], str | None]
    conversations: ConversationStore
    store: RestoredConversations
    contents: BlobStore
    restored: Counter[str]
    left_out: Counter[str]
    _open: Conversation | None = field(default=None, init=False)
    _messages: list[Message] = field(default_factory=list, init=False)
    _summaries: list[Summary] = field(default_factory=list, init=False)

    def take(self, carried: ArchiveRow, owner: Owner) -> None:
        """Restore a row.

        Raises:
            InvalidError: it is none of a conversation.
            ConflictError: the conversation was deleted while it was being restored.
        """
        row = dict(carried.fields)
        kind = row.pop("kind", None)
        if kind == "conversation":
            self.close()
            self._open = self._begun(Conversation.model_validate(row), carried.user, owner)
        elif kind not in {"message", "summary", "slots"}:
            raise InvalidError(f"{kind} is nothing that a conversation holds")
        elif self._open is None:
            self.left_out[f"a {kind} of a conversation that was left out"] += 1
        else:
            self._go_on(self._open, kind, row)

    def _go_on(self, conversation: Conversation, kind: str, row: dict[str, Any]) -> None:
        if kind == "message":
            self._say(conversation, row)
        elif kind == "summary":
            self._summaries.append(Summary.model_validate(row))
        else:
            self._sum_up(conversation, SummaryIndex.model_validate(row))

    def close(self) -> None:
        """Write what is left of the conversation that is open."""
        self._flush()
        self._summaries.clear()
        self._open = None

    def _begun(self, told: Conversation, user: str, owner: Owner) -> Conversation | None:
        """Return the conversation as it is here, None where it is to be left alone."""
        if told.user_id != user == owner.user and self._is_here(told, user):
            self.left_out["somebody else's conversation, which is here"] += 1
            return None
        wanted = self._here(told, user, owner)
        try:
            found = self.store.begin(wanted)
        except ConflictError as deleted:
            if deleted.code != "deleted":
                raise
            self.left_out["a conversation that was deleted here"] += 1
            return None
        if found.user_id != owner.user:
            raise InvalidError(f"{found.conversation_id} is somebody else's conversation here")
        self._count("conversation", int(found is wanted), 1)
        return found

    def _is_here(self, told: Conversation, user: str) -> bool:
        try:
            return user in self.conversations.conversation(self.tenant, told.conversation_id).people
        except NotFoundError:
            return False

    def _here(self, told: Conversation, user: str, owner: Owner) -> Conversation:
        """Of somebody else's conversation the user gets a copy of their own, with what they said themselves."""
        theirs = told.user_id == user
        kept = theirs and owner.user == user
        members = (
            {here for each in told.members if (here := self.people(each)) not in {None, owner.user}}
            if theirs
            else ()
        )
        return told.model_copy(
            update={
                "tenant_id": self.tenant,
                "user_id": owner.user,
                "members": tuple(sorted(map(str, members))),
                "conversation_id": told.conversation_id
                if kept
                else copied_conversation_id(told.conversation_id, owner.user),
                "message_count": 0,
            }
        )

    def _say(self, conversation: Conversation, row: dict[str, Any]) -> None:
        results, message = row.pop("results", None), Message.model_validate(row)
        author = (self.people(message.author) or message.author) if message.role == "user" else message.author
        status = "incomplete" if message.status == "pending" else message.status
        here = {
            "author": author,
            "status": status,
            "spilled": results and self._kept(conversation, message.message_id, results),
        }
        self._messages.append(message.model_copy(update=here))
        if len(self._messages) == BATCH_MESSAGES:
            self._flush()

    def _flush(self) -> None:
        if self._open and self._messages:
            told = self.store.tell(self.tenant, self._open.conversation_id, self._messages)
            self._count("message", told, len(self._messages))
        self._messages.clear()

    def _kept(self, conversation: Conversation, message_id: str, results: Mapping[str, str]) -> str:
        key = tool_results_key(conversation, message_id, len(results))
        self.contents.keep(key, json.dumps(results, ensure_ascii=False))
        return key

    def _sum_up(self, conversation: Conversation, outline: SummaryIndex) -> None:
        self._flush()
        done = self.store.sum_up(self.tenant, conversation.conversation_id, outline, self._summaries)
        self._count("summary", len(self._summaries) if done else 0, len(self._summaries))

    def _count(self, what: str, new: int, seen: int) -> None:
        self.restored[what] += new
        if seen > new:
            self.left_out[f"a {what} that is here"] += seen - new
