"""Conversations, their turns and messages, in an order that two devices cannot break, and their counters."""

import os
import threading
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field
from ulid import ULID

from membus.conversations.summary import SummaryCheckpoint
from membus.core.clock import epoch_ms
from membus.core.errors import ForbiddenError
from membus.core.event import DEFAULT_AGENT
from membus.core.identity import Id, Record
from membus.core.tokens import TokenUsage, estimate_tokens
from membus.llm.prompt import ToolCall, ToolResult


class WindowStart(Record):
    """Where the window begins: after message `after`, with so many tokens before it.

    The prompt shows this `version` of the summary index until the next cut, though newer ones may exist: what
    stands before the window changes only when the window does. Results of tools up to `stubs_until` are
    stubs. `uncovered` says that no summary reached so far when the window had to be cut.
    """

    version: int = 0
    after: Id | None = None
    tokens: int = 0
    stubs_until: Id | None = None
    uncovered: bool = False


class TokenRatio(Record):
    """Tokens that `model` counts for one that is estimated."""

    model: str
    ratio: float


class ConversationCounters(Record):
    """What prompts are made by; `tokens` counts all messages ever, by estimate and with their frames.

    `borders` are the newest checkpoints of the summaries, `cut` is the start of the window, `rate` the token
    ratio of the last model.
    """

    tokens: int = 0
    borders: tuple[SummaryCheckpoint, ...] = ()
    cut: WindowStart = WindowStart()
    rate: TokenRatio | None = None

    @property
    def summary_checkpoint(self) -> SummaryCheckpoint:
        """Return how far the summaries reach."""
        return self.borders[-1] if self.borders else SummaryCheckpoint()


class PromptSection(Record):
    """A part of a prompt and its estimated tokens."""

    name: str
    tokens: int


class PromptFootprint(Record):
    """Where the tokens of a prompt went; `budget` is the ceiling that `total_tokens` never passes."""

    sections: tuple[PromptSection, ...]
    budget: int
    total_tokens: int


ConversationStatus = Literal["active", "archived"]
TITLE_MAX = 80
MEMBERS_MAX = 48
"""A change of members is one transaction of at most 100 items: conversation, owner, old and new members."""
RANDOM_BITS = 80


class Conversation(Record):
    """A conversation of its owner `user_id`; `members` may read it and write in it too.

    `version` counts the changes of what people set (title, status, members): no message and no automatic
    title raises it, or a rename would lose every race against a chat that goes on.
    """

    conversation_id: Id
    tenant_id: Id
    user_id: Id
    agent_id: Id = DEFAULT_AGENT
    title: str | None = None
    status: ConversationStatus = "active"
    members: tuple[Id, ...] = ()
    created_at: AwareDatetime
    message_count: int = 0
    version: int = 1
    counters: ConversationCounters = Field(default=ConversationCounters(), exclude=True)

    @property
    def people(self) -> frozenset[str]:
        return frozenset((self.user_id, *self.members))

    def require_member(self, user: str) -> None:
        """Raise ForbiddenError, `not_a_member`, for anybody but the owner and the members."""
        if user not in self.people:
            detail = "only the owner and the members read a conversation and write in it"
            raise ForbiddenError(detail, code="not_a_member")

    def require_owner(self, user: str) -> None:
        """Raise ForbiddenError, `not_the_owner` for a member, `not_a_member` for anybody else."""
        self.require_member(user)
        if user != self.user_id:
            raise ForbiddenError("only the owner changes or deletes a conversation", code="not_the_owner")


class Step(Record):
    """One step of the agent loop: what the model said, the tools it called, and a result for each call."""

    text: str = ""
    calls: tuple[ToolCall, ...]
    results: tuple[ToolResult, ...]

    def estimate_tokens(self) -> int:
        texts = (
            self.text,
            *(call.model_dump_json() for call in self.calls),
            *(each.content for each in self.results),
        )
        return sum(map(estimate_tokens, texts))

    def with_stubs(self) -> "Step":
        """Return the step with a note in place of each result that is longer than the note."""
        return self.model_copy(update={"results": tuple(map(_stub_result, self.results))})


class Message(Record):
    """One side of a turn. `tokens` is the estimate taken once, when it was written.

    A late reply is `pending` until it is stored; one that was cut off stays `incomplete`. A turn that the model
    `refused` stands in no later prompt or summary, or it would be refused again. What is not to be
    remembered stays in its conversation: it has no event, no fact and no summary. `steps` are the tool calls
    that led to an answer, counted in `tokens`; their full results, where the prompt had a part of them, lie
    in the content store under `spilled`.
    """

    message_id: Id
    role: Literal["user", "assistant"]
    content: str
    author: str
    tokens: int
    created_at: AwareDatetime
    status: Literal["complete", "pending", "incomplete", "refused"] = "complete"
    remember: bool = True
    steps: tuple[Step, ...] = ()
    spilled: str | None = None


TURN_EVENT_PREFIX = "turn-"
"""What the id of a turn's event begins with; the id of the user's message follows."""


class Turn(Record):
    """A message and its answer, stored together or not at all; `request` is the message's fingerprint."""

    user: Message
    assistant: Message
    request: str
    stop_reason: str
    usage: TokenUsage
    footprint: PromptFootprint

    @property
    def event_id(self) -> str:
        """The id of this turn's event on the bus."""
        return f"{TURN_EVENT_PREFIX}{self.user.message_id}"


def _stub_result(result: ToolResult) -> ToolResult:
    tokens = estimate_tokens(result.content)
    note = f"[a result of {tokens} tokens, left out: call again if it matters]"
    return result if estimate_tokens(note) >= tokens else result.model_copy(update={"content": note})


def make_title(text: str) -> str:
    """Return the first words of the first message, cut between words."""
    words = " ".join(text.split())
    return words if len(words) <= TITLE_MAX else words[: TITLE_MAX - 1].rsplit(" ", 1)[0] + "…"


def tool_results_key(conversation: Conversation, message_id: str, number: int) -> str:
    """Return the key of so many full results of a reply's tools."""
    return f"{tool_results_prefix(conversation)}{message_id}-{number}"


def tool_results_prefix(conversation: Conversation) -> str:
    return f"results/{conversation.tenant_id}/{conversation.conversation_id}/"


class MessageIdGenerator:
    """Makes ULIDs that rise within one process even inside a millisecond, and when the clock steps back.

    Within a millisecond the random part counts on, as the ULID specification says: a burst does not date its
    messages into the future.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next_id(self, now: datetime) -> str:
        with self._lock:
            fresh = epoch_ms(now) << RANDOM_BITS | int.from_bytes(os.urandom(RANDOM_BITS // 8), "big")
            same_moment = fresh >> RANDOM_BITS <= self._last >> RANDOM_BITS
            self._last = self._last + 1 if same_moment else fresh
            return str(ULID(self._last.to_bytes(16, "big")))
