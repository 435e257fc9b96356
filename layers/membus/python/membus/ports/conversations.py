"""Conversations, their messages, and the turns that add to them."""

from collections.abc import Collection, Sequence
from typing import Protocol

from membus.domain.conversation import Conversation, ConversationStatus, Message, Turn
from membus.domain.pages import Page
from membus.domain.provenance import PromptProvenance, TurnMetadata

NO_METADATA = TurnMetadata()


class ConversationStore(Protocol):
    """Every method names the tenant: a conversation of another tenant is as absent as one that never was.

    A deleted conversation is absent at once, for whoever asks for it; its messages follow. Whoever writes
    beside it (a turn, a summary) does so on the condition that it is there, or a late write would bring a
    part of it back.
    """

    def create(self, conversation: Conversation, *, request_key: str) -> Conversation:
        """Store a new conversation, or return the one that the same request made before."""

    def conversation(self, tenant: str, conversation_id: str) -> Conversation:
        """Return the conversation; NotFoundError where there is none."""

    def page(
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

    def took_part(self, tenant: str, conversation_ids: Sequence[str], users: Collection[str]) -> set[str]:
        """Return those of the conversations that any of the users owns, is a member of, or was one of."""

    def replace(self, before: Conversation, after: Conversation) -> None:
        """Write what people set: title, status and members; `after` is one version later than `before`.

        Raises:
            ConflictError: it is no longer at the version of `before`; carries the stored one.
            NotFoundError: the conversation is gone.
        """

    def delete(self, tenant: str, conversation_id: str) -> None:
        """Make the conversation absent; one that was deleted before stays so.

        Raises:
            NotFoundError: there never was one, or not for a month.
        """

    def messages(
        self,
        tenant: str,
        conversation_id: str,
        *,
        limit: int,
        after: dict[str, str] | None,
        newest_first: bool = False,
    ) -> Page[Message]:
        """Return messages by their ids; of a deleted conversation, those that are left: ask for it first."""

    def message(self, tenant: str, conversation_id: str, message_id: str) -> Message:
        """Return one message; NotFoundError where there is none."""

    def recent(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        """Return the newest messages, of those behind message `after` where it is named, oldest first.

        One read.
        """

    def turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        """Return the turn that this Idempotency-Key produced, if it did."""

    def provenance(self, tenant: str, conversation_id: str, message_id: str) -> PromptProvenance:
        """Return what the prompt of a reply was made of; NotFoundError where that is not known."""

    def add(
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
