"""Conversations, their messages, and the turns that add to them."""

from typing import Protocol

from membus.domain.conversation import Conversation, Message, Status, Turn
from membus.domain.pages import Page


class ConversationStore(Protocol):
    """Every method names the tenant: a conversation of another tenant is as absent as one that never was."""

    def create(self, conversation: Conversation, *, request_key: str) -> Conversation:
        """Store a new conversation, or return the one that the same request made before."""

    def conversation(self, tenant: str, conversation_id: str) -> Conversation:
        """Return the conversation; NotFoundError where there is none."""

    def page(self, tenant: str, status: Status, *, limit: int, after: dict[str, str] | None) -> Page[Conversation]:
        """Return conversations, newest first."""

    def messages(self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None) -> Page[Message]:
        """Return messages, oldest first."""

    def recent(self, tenant: str, conversation_id: str, *, limit: int) -> list[Message]:
        """Return the newest messages, oldest first; one read."""

    def turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        """Return the turn that this Idempotency-Key produced, if it did."""

    def add(self, tenant: str, conversation_id: str, turn: Turn, *, request_key: str, title: str | None) -> None:
        """Store both messages of a turn, or neither.

        Raises:
            ConflictError: the same request key stored a turn in the meantime.
            NotFoundError: the conversation is gone.
        """
