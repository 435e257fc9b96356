"""What tools gave beyond what a prompt had room for.

Kept beside the reply, and read back for whoever looks into it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from membus.domain.conversation import Conversation, Turn, tool_results_key
from membus.domain.prompt import ToolCall
from membus.errors import UnavailableError
from membus.ports.contents import BlobStore
from membus.ports.conversations import ConversationStore


class FullToolResult(BaseModel):
    """A call and all that it gave; the model saw `shown` of it."""

    call: ToolCall
    failed: bool
    shown: str
    content: str


class FullToolResults(BaseModel):
    items: list[FullToolResult]


@dataclass(frozen=True)
class ToolResultStore:
    """`tell` hears of results that could not be kept: an answer does not wait for them."""

    contents: Callable[[], BlobStore]
    tell: Callable[[str], None]

    def keep(self, conversation: Conversation, turn: Turn, whole: Mapping[str, str]) -> Turn:
        """Return the turn whose reply names where its results lie whole.

        Most turns have none that was cut.
        """
        key = self.spill(conversation, turn.assistant.message_id, whole)
        return turn.model_copy(update={"assistant": turn.assistant.model_copy(update={"spilled": key})})

    def spill(self, conversation: Conversation, message_id: str, whole: Mapping[str, str]) -> str | None:
        """Keep results by call and return where: None where there are none, or they could not be kept.

        The place says how many there are, for a text that is kept is never another one later.
        """
        if not whole:
            return None
        key = tool_results_key(conversation, message_id, len(whole))
        try:
            self.contents().keep(key, json.dumps(dict(whole), ensure_ascii=False))
        except UnavailableError as error:
            self.tell(error.code)
            return None
        return key

    def whole(self, key: str | None) -> dict[str, str]:
        """Return the results that lie there whole, by call."""
        text = self.contents().text(key) if key else None
        found: dict[str, str] = json.loads(text) if text else {}
        return found

    def of(
        self, conversations: ConversationStore, tenant: str, conversation_id: str, message_id: str
    ) -> FullToolResults:
        """Raises NotFoundError where there is no such message; the caller has found its conversation."""
        message = conversations.message(tenant, conversation_id, message_id)
        whole = self.whole(message.spilled)
        items = [
            FullToolResult(
                call=call,
                failed=result.failed,
                shown=result.content,
                content=whole.get(call.call_id, result.content),
            )
            for step in message.steps
            for call, result in zip(step.calls, step.results, strict=True)
        ]
        return FullToolResults(items=items)
