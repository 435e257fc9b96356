"""Conversations and their messages: who said what to whom, in an order that two devices cannot break."""

import os
import threading
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime
from ulid import ULID

from membus.domain.event import epoch_ms
from membus.domain.identity import Id, Record
from membus.domain.prompt import Footprint, Usage
from membus.errors import ForbiddenError

Status = Literal["active", "archived"]
TITLE_MAX = 80


class Conversation(Record):
    """Owned by `user_id`; `members` may write in it too."""

    conversation_id: Id
    tenant_id: Id
    user_id: Id
    agent_id: Id = "default"
    title: str | None = None
    status: Status = "active"
    members: tuple[Id, ...] = ()
    created_at: AwareDatetime
    message_count: int = 0

    def admit(self, author: str) -> None:
        """Let the owner and the members write.

        Raises:
            ForbiddenError: `not_a_member` for anybody else.
        """
        if author != self.user_id and author not in self.members:
            raise ForbiddenError("only the owner and the members of a conversation write in it", code="not_a_member")


class Message(Record):
    """One side of a turn. `tokens` is the estimate taken once, when it was written."""

    message_id: Id
    role: Literal["user", "assistant"]
    content: str
    author: str
    tokens: int
    created_at: AwareDatetime


class Turn(Record):
    """A message and its answer, stored together or not at all; `request` is the fingerprint of what was asked."""

    user: Message
    assistant: Message
    request: str
    stop_reason: str
    usage: Usage
    footprint: Footprint


def title_of(text: str) -> str:
    """Return the first words of the first message, cut between words."""
    words = " ".join(text.split())
    return words if len(words) <= TITLE_MAX else words[: TITLE_MAX - 1].rsplit(" ", 1)[0] + "…"


class MessageIds:
    """ULIDs that rise within one process even inside a millisecond, and when the clock steps back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self, now: datetime) -> str:
        with self._lock:
            self._last = max(self._last + 1, epoch_ms(now))
            return str(ULID(self._last.to_bytes(6, "big") + os.urandom(10)))
