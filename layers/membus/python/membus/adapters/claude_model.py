"""Claude through the Anthropic client, on the first-party API or on Bedrock alike.

Each question asked once.
"""

import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from anthropic.types import Message
from httpx2 import Timeout

from membus.adapters.claude_errors import claude_errors
from membus.adapters.claude_messages import PAUSED, body_of, content_of, reply_of, total, usage_of
from membus.domain.prompt import Reply, Spoken, Stopped, TextDelta, WastedError
from membus.errors import BusyError, ModelError
from membus.ports.model import Question

if TYPE_CHECKING:
    from anthropic import Anthropic, AnthropicBedrock

PAUSES_MAX = 3
"""How often a turn that the provider paused is taken up again."""
STALL_SECONDS = 20.0
"""A stream that says nothing for so long has died; its pings come every few seconds."""
SECONDS_MIN = 0.1


class ClaudeModel:
    def __init__(self, client: "Anthropic | AnthropicBedrock", name: str) -> None:
        self._client, self.name = client.with_options(max_retries=0), name

    def reply(self, question: Question) -> Reply:
        heard: list[Message] = []
        while not heard or _goes_on(heard):
            body = self._body(question, heard)
            with claude_errors():
                heard.append(_message(self._client.messages.create(timeout=_left(question), **body)))
        return reply_of(heard, question, self.name)

    def stream(self, question: Question) -> Iterator[Spoken]:
        heard: list[Message] = []
        while not heard or _goes_on(heard):
            message = yield from self._spoken(question, heard)
            heard.append(message)
        reply = reply_of(heard, question, self.name)
        yield from reply.calls
        yield reply.usage
        yield Stopped(reply=reply)

    def _spoken(self, question: Question, heard: list[Message]) -> Generator[Spoken, None, Message]:
        """Yield one message's words; return it whole. A client that stops listening ends the request."""
        body, before = self._body(question, heard), total(usage_of(message.usage) for message in heard)
        left = _left(question)
        patience = Timeout(left, read=min(left, STALL_SECONDS))
        with claude_errors(), self._client.messages.stream(timeout=patience, **body) as stream:
            for event in stream:
                if event.type == "text":
                    yield TextDelta(text=event.text)
                elif event.type == "message_start":
                    yield before + usage_of(event.message.usage)
                elif event.type == "message_stop":
                    return stream.current_message_snapshot
                if time.monotonic() > question.ends_at:
                    raise BusyError("the model did not finish in time", code="model_unavailable")
        raise ModelError("the model's answer was cut off", reason="cut_off")

    def _body(self, question: Question, heard: list[Message]) -> dict[str, Any]:
        """Return the request; a paused turn is taken up where it paused."""
        body = body_of(question, self.name)
        if heard:
            body["messages"] = [*body["messages"], {"role": "assistant", "content": content_of(heard)}]
        return body


def _goes_on(heard: list[Message]) -> bool:
    if heard[-1].stop_reason != PAUSED:
        return False
    if len(heard) > PAUSES_MAX:
        usage = total(usage_of(message.usage) for message in heard)
        raise WastedError("the model paused its turn too often", reason="paused", usage=usage)
    return True


def _left(question: Question) -> float:
    return max(question.ends_at - time.monotonic(), SECONDS_MIN)


def _message(answer: Any) -> Message:
    """The client hands on whatever a 200 held, a proxy's error page for one, as if it were a message."""
    if not isinstance(answer, Message) or not isinstance(answer.content, list):
        raise ModelError("the provider's answer is no message", reason="no_answer")
    return answer
