"""Claude through the Anthropic client, on the first-party API or on Bedrock alike.

Each question asked once.
"""

import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from anthropic.types import Message
from httpx2 import Timeout

from membus.adapters.claude_errors import translate_claude_errors
from membus.adapters.claude_messages import (
    PAUSE_STOP_REASON,
    build_reply,
    build_request_body,
    convert_usage,
    provider_blocks_of,
    sum_usage,
)
from membus.domain.prompt import ModelEvent, ModelReply, ReplyEnd, TextDelta, UnusableReplyError
from membus.errors import BusyError, ModelError
from membus.ports.model import ModelRequest

if TYPE_CHECKING:
    from anthropic import Anthropic, AnthropicBedrock

PAUSES_MAX = 3
"""How often a turn that the provider paused is taken up again."""
STALL_SECONDS = 20.0
"""A stream that says nothing for so long has died; its pings come every few seconds."""
SECONDS_MIN = 0.1


class ClaudeClient:
    def __init__(self, client: "Anthropic | AnthropicBedrock", name: str) -> None:
        self._client, self.name = client.with_options(max_retries=0), name

    def reply(self, question: ModelRequest) -> ModelReply:
        heard: list[Message] = []
        while not heard or _is_paused(heard):
            body = self._body(question, heard)
            with translate_claude_errors():
                heard.append(
                    _validate_message(
                        self._client.messages.create(timeout=_remaining_seconds(question), **body)
                    )
                )
        return build_reply(heard, question, self.name)

    def stream(self, question: ModelRequest) -> Iterator[ModelEvent]:
        heard: list[Message] = []
        while not heard or _is_paused(heard):
            message = yield from self._spoken(question, heard)
            heard.append(message)
        reply = build_reply(heard, question, self.name)
        yield from reply.calls
        yield reply.usage
        yield ReplyEnd(reply=reply)

    def _spoken(self, question: ModelRequest, heard: list[Message]) -> Generator[ModelEvent, None, Message]:
        """Yield one message's words; return it whole. A client that stops listening ends the request."""
        body, before = (
            self._body(question, heard),
            sum_usage(convert_usage(message.usage) for message in heard),
        )
        left = _remaining_seconds(question)
        patience = Timeout(left, read=min(left, STALL_SECONDS))
        with translate_claude_errors(), self._client.messages.stream(timeout=patience, **body) as stream:
            for event in stream:
                if event.type == "text":
                    yield TextDelta(text=event.text)
                elif event.type == "message_start":
                    yield before + convert_usage(event.message.usage)
                elif event.type == "message_stop":
                    return stream.current_message_snapshot
                if time.monotonic() > question.ends_at:
                    raise BusyError("the model did not finish in time", code="model_unavailable")
        raise ModelError("the model's answer was cut off", reason="cut_off")

    def _body(self, question: ModelRequest, heard: list[Message]) -> dict[str, Any]:
        """Return the request; a paused turn is taken up where it paused."""
        body = build_request_body(question, self.name)
        if heard:
            body["messages"] = [
                *body["messages"],
                {"role": "assistant", "content": provider_blocks_of(heard)},
            ]
        return body


def _is_paused(heard: list[Message]) -> bool:
    if heard[-1].stop_reason != PAUSE_STOP_REASON:
        return False
    if len(heard) > PAUSES_MAX:
        usage = sum_usage(convert_usage(message.usage) for message in heard)
        raise UnusableReplyError("the model paused its turn too often", reason="paused", usage=usage)
    return True


def _remaining_seconds(question: ModelRequest) -> float:
    return max(question.ends_at - time.monotonic(), SECONDS_MIN)


def _validate_message(answer: Any) -> Message:
    """The client hands on whatever a 200 held, a proxy's error page for one, as if it were a message."""
    if not isinstance(answer, Message) or not isinstance(answer.content, list):
        raise ModelError("the provider's answer is no message", reason="no_answer")
    return answer
