"""A reply that is known by its id before it exists: who works on it, and how far the work has come.

Also a client's open socket, as the gateway's authorizer admitted it.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from pydantic import AwareDatetime

from membus.conversations.conversation import Conversation, Message, Step
from membus.core.identity import Id, Record
from membus.core.tokens import TokenUsage

JOB_LIFETIME = timedelta(minutes=10)
"""Three tries of a turn that takes two minutes, and Lambda's pauses between them."""


@dataclass(frozen=True)
class RequestRef:
    """One request to a conversation; `key` is its Idempotency-Key, or a socket message's request id."""

    tenant: str
    conversation_id: str
    key: str


class ReplyJob(Record):
    """The reply to one request, before it is stored.

    `request` is the fingerprint of the message. Until `until` nobody else may begin the same request.
    `became` is the id under which the reply was stored: another one where a summary went past the turn.
    """

    message_id: Id
    request: str
    since: AwareDatetime
    until: AwareDatetime
    became: Id | None = None

    def to_message(self, conversation: Conversation, now: AwareDatetime) -> Message:
        """Return the reply as clients see it while it is not stored: pending, or incomplete once over."""
        return Message(
            message_id=self.message_id,
            role="assistant",
            content="",
            author=conversation.agent_id,
            tokens=0,
            created_at=self.since,
            status="pending" if now < self.until else "incomplete",
        )

    def end_at(self, now: AwareDatetime, became: str | None = None) -> "ReplyJob":
        """Return the job as it stands once nobody works on it any more."""
        return self.model_copy(update={"until": min(self.until, now), "became": became})


@dataclass(frozen=True)
class Lease:
    """The right of one worker to work on a job alone, until a moment."""

    worker: str
    until: AwareDatetime


@dataclass(frozen=True)
class JobClaim:
    """What a request for a job came to.

    `job` is the one in force, the caller's own where it is `granted`. `repeated` says that the request had
    a job before: its turn may be stored by now. `progress` is the digest of the progress kept then.
    """

    job: ReplyJob
    granted: bool
    repeated: bool = False
    progress: str | None = None


class StepProgress(Record):
    """The tool steps of a turn that is not answered yet: the next worker goes on behind them.

    They hold for the one `request` they were made for. `usage` is what the model took so far. `whole` names
    the object with the results that were cut, where there are any.
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
