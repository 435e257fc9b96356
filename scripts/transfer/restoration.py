"""What an archive of membus holds besides events, brought back as it was.

Conversations, documents and states.

Conversations of an archive, row by row as they come.

As they were, under their user here, each part once.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, ValidationError

from membus.conversations.conversation import Conversation, Message, tool_results_key
from membus.conversations.ports import ConversationStore
from membus.conversations.summary import Summary, SummaryIndex
from membus.core.blobs import BlobStore
from membus.core.errors import ConflictError, InvalidError, NotFoundError
from membus.core.identity import Id, Owner
from membus.search.model import Document, is_live
from membus.search.ports import DocumentStore
from membus.states.model import AgentSession, State
from membus.states.ports import StateStore
from membus.transfer.model import CONVERSATIONS, DOCUMENTS, STATES, copied_conversation_id, natural_id
from scripts.transfer.ports import RestoredConversations
from scripts.transfer.rows import ArchiveRow, RejectedRow

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

    def restore_row(self, carried: ArchiveRow, owner: Owner) -> None:
        """Restore a row.

        Raises:
            InvalidError: it is none of a conversation.
            ConflictError: the conversation was deleted while it was being restored.
        """
        row = dict(carried.fields)
        kind = row.pop("kind", None)
        if kind == "conversation":
            self.finish_conversation()
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

    def finish_conversation(self) -> None:
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
            found = self.store.restore_conversation(wanted)
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
            return user in self.conversations.get_conversation(self.tenant, told.conversation_id).people
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
            told = self.store.restore_messages(self.tenant, self._open.conversation_id, self._messages)
            self._count("message", told, len(self._messages))
        self._messages.clear()

    def _kept(self, conversation: Conversation, message_id: str, results: Mapping[str, str]) -> str:
        key = tool_results_key(conversation, message_id, len(results))
        self.contents.put_text(key, json.dumps(results, ensure_ascii=False))
        return key

    def _sum_up(self, conversation: Conversation, outline: SummaryIndex) -> None:
        self._flush()
        done = self.store.restore_summaries(
            self.tenant, conversation.conversation_id, outline, self._summaries
        )
        self._count("summary", len(self._summaries) if done else 0, len(self._summaries))

    def _count(self, what: str, new: int, seen: int) -> None:
        self.restored[what] += new
        if seen > new:
            self.left_out[f"a {what} that is here"] += seen - new


@dataclass(frozen=True)
class RestoreStores:
    """Where it goes. `is_erased` says whether an erasure of the user covers a moment, on this membus."""

    documents: DocumentStore
    conversations: ConversationStore
    restored: RestoredConversations
    states: StateStore
    contents: BlobStore
    is_erased: Callable[[Owner, datetime], bool]


class SessionState(State):
    """A state with the session that it is of."""

    agent_id: Id
    session_id: Id
    expires_at: AwareDatetime


def describe_row(carried: ArchiveRow) -> str:
    """Return what a row is, as it is counted."""
    one = {DOCUMENTS: "document", STATES: "state"}.get(carried.section)
    return one or {"slots": "ledger of slots"}.get(kind := str(carried.fields.get("kind")), kind)


class ArchiveRestorer:
    """Takes rows in the order of the archive; what is here already stays as people have left it.

    An archive older than an erasure of its user brings nothing back.
    """

    def __init__(
        self, tenant: str, people: Callable[[str], str | None], stores: RestoreStores, now: datetime
    ) -> None:
        self.restored: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self._tenant, self._stores, self._now = tenant, stores, now
        self._talks = ConversationRestorer(
            tenant,
            people,
            stores.conversations,
            stores.restored,
            stores.contents,
            self.restored,
            self.left_out,
        )

    def restore_row(self, carried: ArchiveRow, owner: Owner) -> RejectedRow | None:
        """Restore one row; return it as bad where that cannot be done."""
        if self._stores.is_erased(owner, carried.at):
            self.left_out["of a user who was erased here since"] += 1
            return None
        take = {DOCUMENTS: self._document, CONVERSATIONS: self._talks.restore_row, STATES: self._state}[
            carried.section
        ]
        try:
            take(carried, owner)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            return RejectedRow(carried.where, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        except (InvalidError, ConflictError) as error:
            return RejectedRow(carried.where, error.detail)
        return None

    def restore_remaining(self) -> None:
        self._talks.finish_conversation()

    def _document(self, carried: ArchiveRow, owner: Owner) -> None:
        told = Document.model_validate(carried.fields)
        same = owner.user == carried.user
        named = told.memory_id if same else f"mem_{natural_id('', owner.user, told.memory_id)[1:27]}"
        here = {
            "memory_id": named,
            "tenant_id": self._tenant,
            "user_id": told.user_id and owner.user,
            "version": 1,
        }
        if not is_live(told.expires_at, self._now):
            self.left_out["a document whose time is up"] += 1
        elif found := self._stores.documents.get_latest_version(self._tenant, named):
            self.left_out[f"a document that {'was deleted' if found.deleted else 'is'} here"] += 1
        else:
            self._stores.documents.put(told.model_copy(update=here))
            self.restored["document"] += 1

    def _state(self, carried: ArchiveRow, owner: Owner) -> None:
        told = SessionState.model_validate(carried.fields)
        session = AgentSession(tenant=self._tenant, agent=told.agent_id, session_id=told.session_id)
        if not is_live(told.expires_at, self._now):
            self.left_out["a state whose time is up"] += 1
            return
        try:
            self._stores.states.put_state(
                session, told.data, expires_at=told.expires_at, expected_version=0, user=owner.user
            )
        except ConflictError:
            self.left_out["a state that is here"] += 1
        else:
            self.restored["state"] += 1
