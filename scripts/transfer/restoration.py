"""Restores the rows of an export file that are no events: conversations, documents and states.

Each comes back as it was, once. What is there already stays as it is.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

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
from scripts.validation import explain_invalid

BATCH_MESSAGES = 100
"""Messages that are in memory at once."""
UserNames = Callable[[str], str | None]
"""Returns the user here of a name in the file; a name that is not mapped may be another person here."""


@dataclass(frozen=True)
class RestoreStores:
    """Where rows are restored; `is_erased` says whether an erasure of the user covers a time."""

    documents: DocumentStore
    conversations: ConversationStore
    restored: RestoredConversations
    states: StateStore
    contents: BlobStore
    is_erased: Callable[[Owner, datetime], bool]


class RestoreCounts(Protocol):
    """Counts what was restored by kind, and what was left out by reason."""

    restored: Counter[str]
    left_out: Counter[str]


class SessionState(State):
    """A state with its session."""

    agent_id: Id
    session_id: Id
    expires_at: AwareDatetime


def describe_row(row: ArchiveRow) -> str:
    """Return the name under which a row is counted."""
    kind = str(row.fields.get("kind"))
    named = {DOCUMENTS: "document", STATES: "state"}.get(row.section)
    return named or ("ledger of slots" if kind == "slots" else kind)


class ArchiveRestorer:
    """Restores rows in the order of the file; the messages of a conversation follow its own row."""

    def __init__(
        self, tenant: str, users: UserNames, stores: RestoreStores, now: datetime, counts: RestoreCounts
    ) -> None:
        self._tenant, self._users, self._stores, self._now = tenant, users, stores, now
        self._restored, self._left_out = counts.restored, counts.left_out
        self._open: Conversation | None = None
        self._messages: list[Message] = []
        self._summaries: list[Summary] = []

    def restore_row(self, row: ArchiveRow, owner: Owner) -> RejectedRow | None:
        """Restore one row; return it as rejected if that is not possible."""
        if self._stores.is_erased(owner, row.at):
            self._left_out["of a user who was erased here since"] += 1
            return None
        restore = {
            DOCUMENTS: self._restore_document,
            CONVERSATIONS: self._restore_conversation_row,
            STATES: self._restore_state,
        }[row.section]
        try:
            restore(row, owner)
        except ValidationError as error:
            return RejectedRow(row.where, explain_invalid(error))
        except (InvalidError, ConflictError) as error:
            return RejectedRow(row.where, error.detail)
        return None

    def finish_conversation(self) -> None:
        """Write the rest of the conversation that is open."""
        self._write_messages()
        self._summaries.clear()
        self._open = None

    def _restore_document(self, row: ArchiveRow, owner: Owner) -> None:
        document = Document.model_validate(row.fields)
        named = document.memory_id
        if owner.user != row.user:
            named = f"mem_{natural_id('', owner.user, document.memory_id)[1:27]}"
        if not is_live(document.expires_at, self._now):
            self._left_out["a document whose time is up"] += 1
        elif found := self._stores.documents.get_latest_version(self._tenant, named):
            self._left_out[f"a document that {'was deleted' if found.deleted else 'is'} here"] += 1
        else:
            user = document.user_id and owner.user
            here = {"memory_id": named, "tenant_id": self._tenant, "user_id": user, "version": 1}
            self._stores.documents.put(document.model_copy(update=here))
            self._restored["document"] += 1

    def _restore_state(self, row: ArchiveRow, owner: Owner) -> None:
        state = SessionState.model_validate(row.fields)
        session = AgentSession(tenant=self._tenant, agent=state.agent_id, session_id=state.session_id)
        if not is_live(state.expires_at, self._now):
            self._left_out["a state whose time is up"] += 1
            return
        try:
            self._stores.states.put_state(
                session, state.data, expires_at=state.expires_at, expected_version=0, user=owner.user
            )
        except ConflictError:
            self._left_out["a state that is here"] += 1
        else:
            self._restored["state"] += 1

    def _restore_conversation_row(self, row: ArchiveRow, owner: Owner) -> None:
        """Restore a conversation, or a row of the conversation that is open.

        Raises:
            InvalidError: the row is of no known kind.
            ConflictError: the conversation was deleted while it was being restored.
        """
        fields = dict(row.fields)
        kind = fields.pop("kind", None)
        if kind == "conversation":
            self.finish_conversation()
            self._open = self._restore_conversation(Conversation.model_validate(fields), row.user, owner)
        elif kind not in {"message", "summary", "slots"}:
            raise InvalidError(f"{kind} is not a kind of row that a conversation has")
        elif self._open is None:
            self._left_out[f"a {kind} of a conversation that was left out"] += 1
        elif kind == "message":
            self._restore_message(self._open, fields)
        elif kind == "summary":
            self._summaries.append(Summary.model_validate(fields))
        else:
            self._restore_summaries(self._open, SummaryIndex.model_validate(fields))

    def _restore_conversation(self, given: Conversation, user: str, owner: Owner) -> Conversation | None:
        """Return the conversation here, None if it is left out."""
        if given.user_id != user == owner.user and self._is_member_here(given, user):
            self._left_out["another user's conversation, which is here"] += 1
            return None
        wanted = self._copy_for(given, user, owner)
        try:
            found = self._stores.restored.restore_conversation(wanted)
        except ConflictError as error:
            if error.code != "deleted":
                raise
            self._left_out["a conversation that was deleted here"] += 1
            return None
        if found.user_id != owner.user:
            raise InvalidError(f"{found.conversation_id} is another user's conversation here")
        self._count("conversation", int(found is wanted), 1)
        return found

    def _is_member_here(self, given: Conversation, user: str) -> bool:
        try:
            found = self._stores.conversations.get_conversation(self._tenant, given.conversation_id)
        except NotFoundError:
            return False
        return user in found.people

    def _copy_for(self, given: Conversation, user: str, owner: Owner) -> Conversation:
        """Return the conversation of its owner here; of another owner's conversation the user gets a copy."""
        is_theirs = given.user_id == user
        members = {self._users(each) for each in given.members} if is_theirs else set()
        conversation_id = given.conversation_id
        if not is_theirs or owner.user != user:
            conversation_id = copied_conversation_id(conversation_id, owner.user)
        here = {
            "tenant_id": self._tenant,
            "user_id": owner.user,
            "members": tuple(sorted(each for each in members if each and each != owner.user)),
            "conversation_id": conversation_id,
            "message_count": 0,
        }
        return given.model_copy(update=here)

    def _restore_message(self, conversation: Conversation, fields: dict[str, Any]) -> None:
        results: Mapping[str, str] | None = fields.pop("results", None)
        message = Message.model_validate(fields)
        here: dict[str, Any] = {"spilled": None}
        if results:
            key = tool_results_key(conversation, message.message_id, len(results))
            self._stores.contents.put_text(key, json.dumps(results, ensure_ascii=False))
            here["spilled"] = key
        if message.role == "user":
            here["author"] = self._users(message.author) or message.author
        if message.status == "pending":
            here["status"] = "incomplete"
        self._messages.append(message.model_copy(update=here))
        if len(self._messages) == BATCH_MESSAGES:
            self._write_messages()

    def _write_messages(self) -> None:
        if self._open and self._messages:
            conversation_id = self._open.conversation_id
            new = self._stores.restored.restore_messages(self._tenant, conversation_id, self._messages)
            self._count("message", new, len(self._messages))
        self._messages.clear()

    def _restore_summaries(self, conversation: Conversation, index: SummaryIndex) -> None:
        self._write_messages()
        is_new = self._stores.restored.restore_summaries(
            self._tenant, conversation.conversation_id, index, self._summaries
        )
        self._count("summary", len(self._summaries) if is_new else 0, len(self._summaries))

    def _count(self, kind: str, new: int, seen: int) -> None:
        self._restored[kind] += new
        if seen > new:
            self._left_out[f"a {kind} that is here"] += seen - new
