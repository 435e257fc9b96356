"""What the prompt of a reply was made of, by name and version: enough to make it again."""

import hashlib

from pydantic import AwareDatetime

from membus.conversations.conversation import TokenRatio, WindowStart
from membus.conversations.recall import RecallDecision, RecalledPassage
from membus.core.event import DEFAULT_AGENT
from membus.core.identity import Id, MemorySource, Record


class FactRef(Record):
    """A version of a fact."""

    key: str
    version: int


class RecallRef(Record):
    """A passage without its words; `digest` tells whether those in their own store are still the same."""

    memory_id: str
    kind: str
    digest: str
    occurred_at: AwareDatetime
    source: MemorySource
    score: float

    @classmethod
    def from_passage(cls, passage: RecalledPassage) -> "RecallRef":
        return cls(**passage.model_dump(exclude={"text"}), digest=text_digest(passage.text))


class UnprocessedRef(Record):
    """The user's message in another conversation that was quoted, or what they said in an event."""

    conversation_id: Id | None
    event_id: Id


class PromptProvenance(Record):
    """The sources of one prompt; `prompt_hash` is the fingerprint of its bytes, made by `prompt_version`."""

    message_id: Id
    user_message_id: Id
    author: Id
    at: AwareDatetime
    model: str
    prompt_hash: str
    prompt_version: str
    facts: tuple[FactRef, ...]
    outline_version: int
    cut: WindowStart
    window_first: Id | None
    window_last: Id | None
    window_messages: int
    entities: str
    need: RecallDecision
    recalled: tuple[RecallRef, ...]
    fresh: tuple[UnprocessedRef, ...]
    rate: TokenRatio | None


class TurnMetadata(Record):
    """What a turn leaves beside its messages: a new start of the window, the token ratio, the provenance.

    `agent_id` is the agent that it was said to.
    """

    agent_id: Id = DEFAULT_AGENT
    cut: WindowStart | None = None
    rate: TokenRatio | None = None
    provenance: PromptProvenance | None = None

    def with_message_ids(self, user_message_id: str, message_id: str) -> "TurnMetadata":
        ids = {"message_id": message_id, "user_message_id": user_message_id}
        renamed = self.provenance and self.provenance.model_copy(update=ids)
        return self.model_copy(update={"provenance": renamed})


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
