"""A reply that has been promised by its id while it is still being worked on, and how far the work has come.

A client's open socket, as the gateway's authorizer admitted it.
"""

import hashlib
from datetime import timedelta

from pydantic import AwareDatetime

from membus.conversations.conversation import Conversation, Message, Step
from membus.core.errors import (
    BudgetError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    MembusError,
    NotFoundError,
    UnavailableError,
)
from membus.core.identity import Id, Record
from membus.core.tokens import TokenUsage

JOB_LIFETIME = timedelta(minutes=10)
"""Three tries of a turn that takes two minutes, and Lambda's pauses between them."""
ERROR_CLASSES = {
    kind.__name__: kind
    for kind in (
        InvalidError,
        ForbiddenError,
        NotFoundError,
        ConflictError,
        BudgetError,
        UnavailableError,
        MembusError,
    )
}


class ReplyFailure(Record):
    """Why there will be no reply, for who waits for it in another invocation."""

    kind: str
    code: str
    detail: str
    retry_after_seconds: int | None = None

    @classmethod
    def from_error(cls, error: MembusError) -> "ReplyFailure":
        kind = next(each.__name__ for each in type(error).__mro__ if each.__name__ in ERROR_CLASSES)
        again = error.retry_after_seconds if isinstance(error, UnavailableError) else None
        return cls(kind=kind, code=error.code, detail=error.detail, retry_after_seconds=again)

    def to_error(self) -> MembusError:
        """Return the error again, as the nearest of its kin that HTTP tells apart."""
        error = ERROR_CLASSES[self.kind](self.detail, code=self.code)
        if isinstance(error, UnavailableError) and self.retry_after_seconds is not None:
            error.retry_after_seconds = self.retry_after_seconds
        return error


class ReplyJob(Record):
    """`request` is the fingerprint of what was asked.

    Once nobody works on it any more, `became` is the id that the reply was stored under, which a summary that
    was faster can change, or `failed` says why there is none.
    """

    message_id: Id
    request: str
    since: AwareDatetime
    until: AwareDatetime
    became: Id | None = None
    failed: ReplyFailure | None = None

    @classmethod
    def for_request(cls, message_id: str, request: str, now: AwareDatetime) -> "ReplyJob":
        return cls(message_id=message_id, request=request, since=now, until=now + JOB_LIFETIME)

    def to_message(self, conversation: Conversation, now: AwareDatetime) -> Message:
        """Return the reply as it is to be shown while it is not stored: it comes, or its time has passed."""
        return Message(
            message_id=self.message_id,
            role="assistant",
            content="",
            author=conversation.agent_id,
            tokens=0,
            created_at=self.since,
            status="pending" if now < self.until else "incomplete",
        )


class StepProgress(Record):
    """What tools have given to a turn that is not answered yet: whoever takes it up goes on from here.

    It holds for the one `request` it was made for. `usage` is what the model took so far; `whole` names the
    object that holds the results that were cut, where there are any.
    """

    request: str
    steps: tuple[Step, ...]
    usage: TokenUsage
    whole: str | None = None

    @property
    def digest(self) -> str:
        """Tell this progress from any other of the same turn."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


CONNECTION_LIFETIME = timedelta(hours=2)
"""API Gateway ends every connection after two hours."""


class SocketConnection(Record):
    """Tenant, key and scopes are the credential's: nothing that comes over the socket can change them."""

    connection_id: str
    tenant_id: Id
    key_id: str
    scopes: frozenset[str]
    connected_at: AwareDatetime

    @property
    def expires_at(self) -> AwareDatetime:
        return self.connected_at + CONNECTION_LIFETIME
