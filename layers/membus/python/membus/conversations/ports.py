"""Ports of conversations: their turns, summaries, unprocessed messages and reply jobs, a cache, and sockets.

Every method names the tenant: a conversation of another tenant is as absent as one that never was. `after` is
the key that the last page ended with.
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
    """Open sockets; a connection that has outlived its time is absent."""

    def add_connection(self, connection: SocketConnection) -> None: ...

    def get_connection(self, tenant: str, connection_id: str) -> SocketConnection:
        """Raises NotFoundError where there is none."""

    def delete_connection(self, tenant: str, connection_id: str) -> None:
        """Delete the connection, if it is there."""


class SocketSender(Protocol):
    """Sends frames to clients; raises UnavailableError where the gateway does not take them."""

    def send_frame(self, connection_id: str, frame: bytes) -> bool:
        """Send a frame of at most 128 KB; return False where the client is gone."""

    def close_connection(self, connection_id: str) -> None:
        """Close the connection, if it is open."""


NO_METADATA = TurnMetadata()


class ConversationStore(Protocol):
    """Conversations with their messages and turns.

    A deleted conversation is absent at once, its messages follow. What is written beside it (a turn, a
    summary) is written on the condition that it is there, or a late write would bring a part of it back.
    """

    def create_conversation(self, conversation: Conversation, *, request_key: str) -> Conversation:
        """Store a new conversation, or return the one that the same request made before."""

    def get_conversation(self, tenant: str, conversation_id: str) -> Conversation:
        """Raises NotFoundError where there is none."""

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
        """Write title, status and members; `after` is one version later than `before`.

        Raises:
            ConflictError: it is no longer at the version of `before`; carries the stored one.
            NotFoundError: the conversation is gone.
        """

    def delete_conversation(self, tenant: str, conversation_id: str) -> None:
        """Make the conversation absent; NotFoundError where there was none within a month."""

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
        """Raises NotFoundError where there is none."""

    def list_recent_messages(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        """Return the newest messages, or those of them behind message `after`, oldest first; one read."""

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
        metadata: TurnMetadata = NO_METADATA,
    ) -> None:
        """Store both messages of a turn with what it leaves behind, or nothing; the first title stays.

        Raises:
            ConflictError: the same request key stored a turn in the meantime, or (`covered`) a summary
                already reaches beyond the turn's first message, which no summary would ever include.
            NotFoundError: the conversation is gone.
        """


class ProcessedMarker(Protocol):
    """What extraction needs of unprocessed messages."""

    def mark_processed(self, owner: Owner, sort_keys: Iterable[str]) -> None:
        """Delete the messages under these sort keys, there or not, and the version token with them."""


class UnprocessedMessages(ProcessedMarker, Protocol):
    def list_newest(self, owner: Owner) -> list[UnprocessedMessage]:
        """Return the newest messages, newest first; one read."""

    def get_version_token(self, owner: Owner) -> str | None:
        """Return what changes with each message; None once some were processed and none was added since."""

    def add_messages(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        """Store what users said in events; `ConversationStore.add_turn` stores what they said in a turn."""


CacheRecord = CachedWindow | CachedEntities | CachedProgress | CachedUnprocessed


class EntityCache(Protocol):
    """What a prompt needs of the cache."""

    def get_entities(self, tenant: str, conversation_id: str) -> EntitySnapshot | None:
        """Return what was made of the newest messages when the last turn was stored, if it is cached."""


class ConversationCache(EntityCache, Protocol):
    """A cache in front of the stores; one that is empty or out of reach returns nothing, and raises nothing.

    Its records are at most half an hour old. Whether one is still exact, its reader finds out.
    """

    @property
    def is_unavailable(self) -> bool:
        """Whether the cache is known to be out of reach, and not worth asking."""

    def get_window(self, tenant: str, conversation_id: str) -> CachedWindow | None: ...

    def get_progress(self, tenant: str, conversation_id: str, request_key: str) -> StepProgress | None: ...

    def get_unprocessed(self, owner: Owner) -> CachedUnprocessed | None: ...

    def put(self, held: CacheRecord) -> None: ...

    def evict_conversation(self, tenant: str, conversation_id: str) -> None:
        """Drop the conversation's messages and entities, if the cache can be reached."""

    def evict_user(self, owner: Owner) -> None:
        """Drop a user's unprocessed messages, if the cache can be reached."""


class ReplyJobStore(Protocol):
    """One job for each request, kept for a day; who claims one has just read the conversation."""

    def claim_job(self, request: RequestRef, job: ReplyJob, lease: Lease | None = None) -> JobClaim:
        """Store the job unless another one is in force for the request, or another worker has a lease of it.

        With a lease the caller works on it alone until the lease ends. Without one, whoever claims the same
        job may take it up.
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
        """Raises NotFoundError where no request of the last day was to get this reply."""


class DeletedConversationItems(Protocol):
    def remove_batch(self, tenant: str, conversation_id: str) -> bool:
        """Remove some items of a deleted conversation, with their large texts; return whether more are left.

        Of a conversation that is not deleted nothing is removed. May be repeated.

        Raises:
            UnavailableError: a store is busy or out of reach; what is removed stays so.
        """


class SummaryReader(Protocol):
    def get_index(self, tenant: str, conversation_id: str, version: int | None = None) -> SummaryIndex:
        """Return the newest summary index or a version of it, an empty one where there is none; one read."""

    def list_summaries(
        self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[Summary]:
        """Return summaries level by level, each level in the order of the conversation."""

    def list_unsummarised(
        self, tenant: str, conversation_id: str, *, after: str | None, limit: int
    ) -> list[Message]:
        """Return the messages behind message `after`, oldest first."""


class SummaryStore(SummaryReader, Protocol):
    def save_index(
        self,
        tenant: str,
        conversation_id: str,
        index: SummaryIndex,
        *,
        read: SummaryIndex,
        summaries: Sequence[Summary],
    ) -> None:
        """Store the next index, with its new summaries, in place of the one that was `read`, or nothing.

        Raises:
            ConflictError: the conversation is gone, or its index is no longer the one that was read.
        """


class TurnQueue(Protocol):
    def enqueue_turn(self, turn: Mapping[str, Any]) -> None:
        """Have a turn worked on in the background, at least once; UnavailableError where it is not taken."""
