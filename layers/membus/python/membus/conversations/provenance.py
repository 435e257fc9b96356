"""What the prompt of a reply was made of, by name and version.

Enough to make it again, and to see what is gone.
"""

import hashlib

from pydantic import AwareDatetime

from membus.conversations.conversation import TokenRatio, WindowStart
from membus.conversations.recall import RecallDecision, RecalledPassage
from membus.core.identity import Id, MemorySource, Record


class FactRef(Record):
    key: str
    version: int


class RecallRef(Record):
    """A passage without its words, which belong to their own store.

    `digest` tells whether they are still the same.
    """

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
    """`prompt_hash` is the fingerprint of every byte that was sent, made as `prompt_version` makes it from the rest."""

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
    """What a turn leaves behind besides its messages.

    A new cut, the model's rate, and how its prompt was made.
    """

    cut: WindowStart | None = None
    rate: TokenRatio | None = None
    provenance: PromptProvenance | None = None

    def with_message_ids(self, user_message_id: str, message_id: str) -> "TurnMetadata":
        """Return the trace of the same turn under other ids."""
        if self.provenance is None:
            return self
        named = {"message_id": message_id, "user_message_id": user_message_id}
        return self.model_copy(update={"provenance": self.provenance.model_copy(update=named)})


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
