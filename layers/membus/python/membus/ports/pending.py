"""Replies that are being worked on, each for one request to a conversation."""

from typing import Protocol

from membus.domain.pending import PendingReply


class PendingReplies(Protocol):
    def begin(self, tenant: str, conversation_id: str, reply: PendingReply, *, request_key: str) -> PendingReply:
        """Note that a reply is on its way; return the one that already is for the same request.

        Raises:
            NotFoundError: the conversation is gone.
        """

    def end(self, tenant: str, conversation_id: str, *, request_key: str, became: str | None = None) -> None:
        """Note that nobody works on it any more: it is stored as `became`, or was given up."""

    def find(self, tenant: str, conversation_id: str, message_id: str) -> PendingReply:
        """Return what is known of a reply that was promised within a day.

        Raises:
            NotFoundError: nothing is known.
        """
