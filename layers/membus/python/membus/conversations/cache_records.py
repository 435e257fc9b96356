"""Records of a live conversation in the cache, each with what tells that it is still exact."""

from datetime import datetime

from pydantic import Field

from membus.conversations.conversation import Message, Turn
from membus.conversations.entities import EntitySnapshot
from membus.conversations.reply_jobs import StepProgress
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.core.identity import Id, Owner, Record


class CachedEntities(Record):
    """Entities folded from messages: exact for those that the snapshot names."""

    tenant_id: Id
    conversation_id: Id
    folded: EntitySnapshot


class CachedProgress(Record):
    """Tool results of a turn in progress: exact by their digest, which the reply job names."""

    tenant_id: Id
    conversation_id: Id
    request_key: str
    progress: StepProgress


class CachedUnprocessed(Record):
    """A user's unprocessed messages: exact as long as `stamp` is the stored version token."""

    owner: Owner
    stamp: str
    words: tuple[UnprocessedMessage, ...]

    def list_unexpired(self, now: datetime) -> list[UnprocessedMessage]:
        return [fresh for fresh in self.words if fresh.expires_at > now]


class CachedWindow(Record):
    """The newest `limit` messages behind message `after` of a conversation that held `stored` messages.

    It is exact as long as the conversation counts `stored`: every stored turn raises that count in its own
    transaction. A pointer to the last message would not do: an id is made when a message is sent, so another
    device's may be stored later and sort before it. A window may hold more than it counts, then it is never
    used; it never holds less.
    """

    tenant_id: Id
    conversation_id: Id
    stored: int = Field(ge=0)
    limit: int = Field(gt=0)
    after: Id | None = None
    messages: tuple[Message, ...]

    @property
    def is_final(self) -> bool:
        """Whether no message is still being written: a change in place does not raise the count."""
        return all(message.status != "pending" for message in self.messages)

    def can_answer(self, limit: int, after: str | None) -> bool:
        """Return whether the window holds all that is asked for."""
        return self.limit >= limit and (self.after is None or (after is not None and self.after <= after))

    def newest_messages(self, limit: int, after: str | None) -> list[Message]:
        return [message for message in self.messages if message.message_id > (after or "")][-limit:]

    def with_turn(self, turn: Turn) -> "CachedWindow | None":
        """Return the window with a turn that has just been stored; None where only the store can tell it.

        A turn that the window holds already is not counted again. Whether one from before the window is part
        of the count, the window cannot know.
        """
        held = {message.message_id: message for message in self.messages}
        if turn.user.message_id in held:
            return self
        full = len(self.messages) >= self.limit
        if turn.user.message_id <= (self.after or "") or (full and turn.user.message_id < min(held)):
            return None
        said = {message.message_id: message for message in (turn.user, turn.assistant)}
        messages = sorted((held | said).values(), key=lambda message: message.message_id)
        joined = self.model_copy(
            update={"stored": self.stored + len(said), "messages": tuple(messages[-self.limit :])}
        )
        return joined if joined.is_final else None
