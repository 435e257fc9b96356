"""What an archive of membus holds besides events, brought back as it was.

Conversations, documents and states.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, ValidationError

from membus.domain.document import Document
from membus.domain.identity import Id, Owner
from membus.domain.memory import is_live
from membus.domain.state import AgentSession, State
from membus.domain.transfer import CONVERSATIONS, DOCUMENTS, STATES, natural_id
from membus.errors import ConflictError, InvalidError
from membus.ports.contents import BlobStore
from membus.ports.conversations import ConversationStore
from membus.ports.documents import DocumentStore
from membus.ports.restoring import RestoredConversations
from membus.ports.states import StateStore
from scripts.transfer.rows import ArchiveRow, RejectedRow
from scripts.transfer.talks import ConversationRestorer


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

    def take(self, carried: ArchiveRow, owner: Owner) -> RejectedRow | None:
        """Restore one row; return it as bad where that cannot be done."""
        if self._stores.is_erased(owner, carried.at):
            self.left_out["of a user who was erased here since"] += 1
            return None
        take = {DOCUMENTS: self._document, CONVERSATIONS: self._talks.take, STATES: self._state}[
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

    def close(self) -> None:
        self._talks.close()

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
        elif found := self._stores.documents.last(self._tenant, named):
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
            self._stores.states.put(
                session, told.data, expires_at=told.expires_at, expected_version=0, user=owner.user
            )
        except ConflictError:
            self.left_out["a state that is here"] += 1
        else:
            self.restored["state"] += 1
