"""Open sockets: which there are, and how something is said to one.

Conversations, their messages, and the turns that add to them.

What users said a moment ago; a turn of chat stores it with its messages (`ConversationStore.add`).

The nearest tier of a live conversation.

What it holds can always be read again from the store behind it.

Replies that are being worked on, each for one request to a conversation.

What is left of deleted conversations.

The summaries of conversations, and the raw turns that they are made of.

Turns that outlast the request which asked for them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from membus.conversations.cache_records import CachedEntities, CachedProgress, CachedUnprocessed, CachedWindow
from membus.conversations.conversation import Conversation, ConversationStatus, Message, Turn
from membus.conversations.entities import EntitySnapshot
from membus.conversations.provenance import PromptProvenance, TurnMetadata
from membus.conversations.reply_jobs import (
    JobClaim,
    Lease,
    ReplyJob,
    RequestRef,
    SocketConnection,
    StepProgress,
)
from membus.conversations.summary import Summary, SummaryIndex
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.core.identity import Owner
from membus.core.pages import Page


class ConnectionStore(Protocol):
    """A connection of another tenant is as absent as one that never was, and so is one that has outlived its time."""

    def add_connection(self, connection: SocketConnection) -> None: ...

    def get_connection(self, tenant: str, connection_id: str) -> SocketConnection:
        """Return the connection; NotFoundError where there is none."""

    def delete_connection(self, tenant: str, connection_id: str) -> None:
        """Forget the connection; one that is not there is forgotten already."""


class SocketSender(Protocol):
    """Raises UnavailableError where the gateway does not take it."""

    def send_frame(self, connection_id: str, frame: bytes) -> bool:
        """Send a frame of at most 128 KB; return False where the client is gone."""

    def close_connection(self, connection_id: str) -> None:
        """Close the connection, if it is open."""


NO_METADATA = TurnMetadata()


class ConversationStore(Protocol):
    """Every method names the tenant: a conversation of another tenant is as absent as one that never was.

    A deleted conversation is absent at once, for whoever asks for it; its messages follow. Whoever writes
    beside it (a turn, a summary) does so on the condition that it is there, or a late write would bring a
    part of it back.
    """

    def create_conversation(self, conversation: Conversation, *, request_key: str) -> Conversation:
        """Store a new conversation, or return the one that the same request made before."""

    def get_conversation(self, tenant: str, conversation_id: str) -> Conversation:
        """Return the conversation; NotFoundError where there is none."""

    def list_conversations(
        self,
        tenant: str,
        status: ConversationStatus,
        *,
        user: str | None,
        limit: int,
        after: dict[str, str] | None,
    ) -> Page[Conversation]:
        """Return conversations, newest first: the tenant's, or those that a user owns or is a member of.

        A page may be shorter than its limit, and empty, and still not the last.
        """

    def filter_by_participant(
        self, tenant: str, conversation_ids: Sequence[str], users: Collection[str]
    ) -> set[str]:
        """Return those of the conversations that any of the users owns, is a member of, or was one of."""

    def update_conversation(self, before: Conversation, after: Conversation) -> None:
        """Write what people set: title, status and members; `after` is one version later than `before`.

        Raises:
            ConflictError: it is no longer at the version of `before`; carries the stored one.
            NotFoundError: the conversation is gone.
        """

    def delete_conversation(self, tenant: str, conversation_id: str) -> None:
        """Make the conversation absent; one that was deleted before stays so.

        Raises:
            NotFoundError: there never was one, or not for a month.
        """

    def list_messages(
        self,
        tenant: str,
        conversation_id: str,
        *,
        limit: int,
        after: dict[str, str] | None,
        newest_first: bool = False,
    ) -> Page[Message]:
        """Return messages by their ids; of a deleted conversation, those that are left: ask for it first."""

    def get_message(self, tenant: str, conversation_id: str, message_id: str) -> Message:
        """Return one message; NotFoundError where there is none."""

    def list_recent_messages(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        """Return the newest messages, of those behind message `after` where it is named, oldest first.

        One read.
        """

    def find_turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        """Return the turn that this Idempotency-Key produced, if it did."""

    def get_provenance(self, tenant: str, conversation_id: str, message_id: str) -> PromptProvenance:
        """Return what the prompt of a reply was made of; NotFoundError where that is not known."""

    def add_turn(
        self,
        tenant: str,
        conversation_id: str,
        turn: Turn,
        *,
        request_key: str,
        title: str | None,
        trace: TurnMetadata = NO_METADATA,
    ) -> None:
        """Store both messages of a turn with what it leaves behind, or nothing; the first title stays.

        Raises:
            ConflictError: the same request key stored a turn in the meantime, or (`covered`) a summary
                already
                reaches beyond the turn's first message, which no summary would ever tell of.
            NotFoundError: the conversation is gone.
        """


class ProcessedMarker(Protocol):
    """As much as learning needs."""

    def mark_processed(self, owner: Owner, places: Iterable[str]) -> None: ...


class UnprocessedMessages(ProcessedMarker, Protocol):
    def list_newest(self, owner: Owner) -> list[UnprocessedMessage]:
        """Return the newest that nobody has learned from yet, newest first; one read."""

    def get_version_token(self, owner: Owner) -> str | None:
        """Return what changes with each word that is said.

        None once some were learned from and none was said since.
        """

    def add_messages(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        """Keep what users said in events; a turn of chat keeps its own."""

    def mark_processed(self, owner: Owner, places: Iterable[str]) -> None:
        """Let go of what has been read, whether it was there or not, and of the stamp with it."""


CacheRecord = CachedWindow | CachedEntities | CachedProgress | CachedUnprocessed


class EntityCache(Protocol):
    """As much as a prompt needs."""

    def get_entities(self, tenant: str, conversation_id: str) -> EntitySnapshot | None:
        """Return what was made of the newest messages when the last turn was stored."""


class ConversationCache(EntityCache, Protocol):
    """No method raises for a tier that is cold, has evicted or cannot be reached: it merely holds nothing.

    What it returns was kept in the last half hour; whether it is still exact, its reader finds out.
    """

    @property
    def is_unavailable(self) -> bool:
        """Whether the tier is known to be out of reach, so that asking it is spared."""

    def get_window(self, tenant: str, conversation_id: str) -> CachedWindow | None: ...

    def get_progress(self, tenant: str, conversation_id: str, request_key: str) -> StepProgress | None: ...

    def get_unprocessed(self, owner: Owner) -> CachedUnprocessed | None: ...

    def put(self, held: CacheRecord) -> None: ...

    def evict_conversation(self, tenant: str, conversation_id: str) -> None:
        """Hold no message of the conversation any more, if the tier can be reached.

        Half an hour does the rest.
        """

    def evict_user(self, owner: Owner) -> None:
        """Hold nothing any more of what a user just said, as `drop` does."""


class ReplyJobStore(Protocol):
    """One job for each request, kept for a day. The caller has just read the conversation."""

    def claim_job(self, request: RequestRef, job: ReplyJob, lease: Lease | None = None) -> JobClaim:
        """Store the job unless another one is in force for the request, or somebody holds a lease of it.

        With a lease the caller works on it alone until the lease ends; without one anybody may take it up
        who claims the same job.
        """

    def update_job(self, request: RequestRef, job: ReplyJob, *, worker: str = "") -> None:
        """Write the job as it stands now, and give up the worker's lease of it.

        Another job of the request stays as it is, and so does a job that another worker has.
        """

    def save_progress(self, request: RequestRef, progress: StepProgress) -> None:
        """Keep how far the work has come in place of what was kept before; nothing without a job."""

    def get_progress(self, request: RequestRef, digest: str) -> StepProgress | None:
        """Return the progress of that digest, None where it is another's or expired."""

    def get_by_message(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        """Return the job of a reply that was requested within a day.

        Raises:
            NotFoundError: there is none.
        """


class DeletedConversationItems(Protocol):
    def remove_batch(self, tenant: str, conversation_id: str) -> bool:
        """Remove some of what is left of a deleted conversation, with its large texts.

        Return whether more is left.

        Of a conversation that is not deleted nothing is removed. May be repeated, and go on where another
        stopped.

        Raises:
            UnavailableError: a store is busy or out of reach; what is removed stays so.
        """


class SummaryReader(Protocol):
    """The reading half; a conversation of another tenant has none, like one that never was."""

    def get_index(self, tenant: str, conversation_id: str, version: int | None = None) -> SummaryIndex:
        """Return the newest outline or one of its versions, the empty one where there is none; one read."""

    def list_summaries(
        self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[Summary]:
        """Return summaries level by level, each level in the order of what it tells."""

    def list_unsummarised(
        self, tenant: str, conversation_id: str, *, after: str | None, limit: int
    ) -> list[Message]:
        """Return the messages behind message `after`, oldest first."""


class SummaryStore(SummaryReader, Protocol):
    def save_index(
        self,
        tenant: str,
        conversation_id: str,
        outline: SummaryIndex,
        *,
        read: SummaryIndex,
        summaries: Sequence[Summary],
    ) -> None:
        """Store the next outline, with the summaries it brings, in place of the one that was `read`.

        All or nothing.

        Raises:
            ConflictError: the conversation is gone, or its outline is no longer at the version and the place
                read.
        """


class TurnQueue(Protocol):
    def enqueue_turn(self, turn: Mapping[str, Any]) -> None:
        """Have a turn worked on behind the scenes, at least once; UnavailableError where it is not taken."""
