"""What the hot tier holds of a live conversation beside its window, each with what tells that it is still exact.

The newest messages of a live conversation as the hot tier holds them, and how one tells that they are still
that.
"""

from datetime import datetime

from pydantic import Field

from membus.conversations.conversation import Message, Turn
from membus.conversations.entities import EntitySnapshot
from membus.conversations.reply_jobs import StepProgress
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.core.identity import Id, Owner, Record


class CachedEntities(Record):
    """Exact for the messages that it names: a fold over them comes to nothing else."""

    tenant_id: Id
    conversation_id: Id
    folded: EntitySnapshot


class CachedProgress(Record):
    """What tools gave to a turn that is not answered yet.

    Exact by its digest, which stands with the promise.
    """

    tenant_id: Id
    conversation_id: Id
    request_key: str
    progress: StepProgress


class CachedUnprocessed(Record):
    """A user's words that nobody has learned from yet: exact as long as their `stamp` is the stored one."""

    owner: Owner
    stamp: str
    words: tuple[UnprocessedMessage, ...]

    def list_unexpired(self, now: datetime) -> list[UnprocessedMessage]:
        return [fresh for fresh in self.words if fresh.expires_at > now]


class CachedWindow(Record):
    """The newest `limit` messages behind message `after` of a conversation that held `stored` messages.

    It is exact as long as the conversation counts `stored`: every stored turn raises that count in its own
    transaction. A pointer to the last message would not do: a message's id is made when it is said, so
    another device's may be stored later and sort before it. A window may hold more than it counts, then it is
    never used; it never holds less.
    """

    tenant_id: Id
    conversation_id: Id
    stored: int = Field(ge=0)
    limit: int = Field(gt=0)
    after: Id | None = None
    messages: tuple[Message, ...]

    @property
    def is_final(self) -> bool:
        """Whether no message is still being written.

        One that changes in its place does not raise the count.
        """
        return all(message.status != "pending" for message in self.messages)

    def can_answer(self, limit: int, after: str | None) -> bool:
        """Whether it holds at least as much as is asked for."""
        return self.limit >= limit and (self.after is None or (after is not None and self.after <= after))

    def newest_messages(self, limit: int, after: str | None) -> list[Message]:
        return [message for message in self.messages if message.message_id > (after or "")][-limit:]

    def with_turn(self, turn: Turn) -> "CachedWindow | None":
        """Return the window with a turn that has just been stored.

        None where only the store can tell what it is.

        A turn that a reload brought already is not counted again. Whether one from before the window is part
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
