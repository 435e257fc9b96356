"""What the prompt of a reply was made of, by name and version.

Enough to make it again, and to see what is gone.
"""

import hashlib

from pydantic import AwareDatetime

from membus.domain.identity import Id, Record
from membus.domain.marks import Cut, Rate
from membus.domain.memory import Source
from membus.domain.recall import Need, Recalled


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
    source: Source
    score: float

    @classmethod
    def of(cls, passage: Recalled) -> "RecallRef":
        return cls(**passage.model_dump(exclude={"text"}), digest=digest_of(passage.text))


class FreshRef(Record):
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
    cut: Cut
    window_first: Id | None
    window_last: Id | None
    window_messages: int
    entities: str
    need: Need
    recalled: tuple[RecallRef, ...]
    fresh: tuple[FreshRef, ...]
    rate: Rate | None


class Trace(Record):
    """What a turn leaves behind besides its messages.

    A new cut, the model's rate, and how its prompt was made.
    """

    cut: Cut | None = None
    rate: Rate | None = None
    provenance: PromptProvenance | None = None

    def about(self, user_message_id: str, message_id: str) -> "Trace":
        """Return the trace of the same turn under other ids."""
        if self.provenance is None:
            return self
        named = {"message_id": message_id, "user_message_id": user_message_id}
        return self.model_copy(update={"provenance": self.provenance.model_copy(update=named)})


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
