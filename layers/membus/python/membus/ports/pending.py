"""Replies that are being worked on, each for one request to a conversation."""

from datetime import datetime
from typing import Protocol

from membus.domain.pending import ReplyFailure, ReplyJob, StepProgress


class ReplyJobStore(Protocol):
    def begin(self, tenant: str, conversation_id: str, reply: ReplyJob, *, request_key: str) -> ReplyJob:
        """Note that a reply is on its way; return the one that already is for the same request.

        Raises:
            NotFoundError: the conversation is gone.
        """

    def take(
        self, tenant: str, conversation_id: str, *, request_key: str, worker: str, until: datetime
    ) -> str | None:
        """Have the work until `until` and nobody else meanwhile.

        Return the digest of the progress made before.

        Raises:
            NotFoundError: it was never promised, or its conversation is gone.
            UnavailableError: `in_progress`, somebody else has it.
        """

    def put_down(self, tenant: str, conversation_id: str, *, request_key: str) -> None:
        """Let somebody else take the work up."""

    def advance(self, tenant: str, conversation_id: str, progress: StepProgress, *, request_key: str) -> None:
        """Keep how far the work has come in place of what was kept before.

        Nothing where the conversation is gone.
        """

    def progress(
        self, tenant: str, conversation_id: str, digest: str, *, request_key: str
    ) -> StepProgress | None:
        """Return the progress of that digest, None where it is another's or expired."""

    def end(
        self,
        tenant: str,
        conversation_id: str,
        *,
        request_key: str,
        became: str | None = None,
        failed: ReplyFailure | None = None,
    ) -> None:
        """Note that nobody works on it any more: it is stored as `became`, or was given up."""

    def of(self, tenant: str, conversation_id: str, *, request_key: str) -> ReplyJob | None:
        """Return the reply that this request was promised within a day."""

    def find(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        """Return what is known of a reply that was promised within a day.

        Raises:
            NotFoundError: nothing is known.
        """
