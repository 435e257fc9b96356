"""What the Anthropic client, or the wire beneath it, raises, in membus' words.

Translated once, with its cause.

Prompts and replies in the words of Anthropic's Messages API.

Claude through the Anthropic client, on the first-party API or on Bedrock alike.

Each question asked once.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

import httpx2
from anthropic import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    PermissionDeniedError,
    transform_schema,
)
from anthropic.types import Message
from anthropic.types import Usage as Counted
from httpx2 import Timeout

from membus.core.errors import BusyError, MembusError, ModelError, UnavailableError
from membus.core.tokens import TokenUsage
from membus.llm.ports import ModelRequest
from membus.llm.prompt import (
    ChatMessage,
    ModelEvent,
    ModelReply,
    Prompt,
    ProviderBlocks,
    ReplyEnd,
    StopReason,
    SystemBlock,
    TextDelta,
    ToolCall,
    ToolDefinition,
    UnusableReplyError,
)

if TYPE_CHECKING:
    from anthropic import Anthropic, AnthropicBedrock
_TRY_LATER = {408, 409, 429}
_FATAL_STREAM_ERRORS = {"invalid_request_error", "request_too_large", "validationException"}
"""Error events that another try does not help; all others tell of a provider in trouble."""


@contextmanager
def translate_claude_errors() -> Iterator[None]:
    """Translate what is raised inside.

    Raises:
        BusyError: overloaded, unreachable or torn off; with the provider's `retry-after`, which nobody has
            slept.
        UnavailableError: the configured credential is refused.
        ModelError: the request is refused, or what came is no answer.
    """
    try:
        yield
    except (AuthenticationError, PermissionDeniedError) as error:
        why = "the model provider refused the configured credential"
        raise UnavailableError(why, code="model_unavailable") from error
    except APIStatusError as error:
        raise _translate_status_error(error) from error
    except (APIConnectionError, httpx2.HTTPError) as error:
        raise BusyError("the model cannot be reached right now", code="model_unavailable") from error
    except (APIError, JSONDecodeError) as error:
        raise ModelError("the provider's answer is no message", reason="no_answer") from error


def _translate_status_error(error: APIStatusError) -> MembusError:
    busy = error.status_code in _TRY_LATER or error.status_code >= 500  # noqa: PLR2004
    if busy or (error.status_code == 200 and error.type not in _FATAL_STREAM_ERRORS):  # noqa: PLR2004 - an event in a stream
        asked = _asked_seconds(error.response.headers)
        return BusyError(
            "the model cannot be reached right now", code="model_unavailable", asked_seconds=asked
        )
    return ModelError("the model provider refused the request", reason="invalid_request")


def _asked_seconds(headers: httpx2.Headers) -> float | None:
    """Return how long the provider asks to wait, in any of the ways it says so."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"])) if "retry-after" in headers else None
    except ValueError:
        return _seconds_until(headers["retry-after"])


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return None


STOP_REASONS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
}
PAUSE_STOP_REASON = "pause_turn"
THINKING_BY_MODEL: Sequence[tuple[str, dict[str, str]]] = (
    ("claude-sonnet-5-5", {"type": "between_tools"}),
    ("claude-sonnet-5", {"type": "disabled"}),
    ("claude-haiku-5-5", {"type": "disabled"}),
)
"""Models that think unless told not to, and how each is told (platform.claude.com, "Turn off up-front thinking").

Thoughts are paid as output and count against `max_tokens`, which our tasks size for the answer alone.
"""


def build_request_body(question: ModelRequest, model: str) -> dict[str, Any]:
    """Return the request's parameters.

    Absent parts are left out, so that the cached prefix stays as it is.
    """
    prompt = question.prompt
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": question.max_tokens,
        "system": [_system_block(block) for block in prompt.system],
        "messages": [_chat_message(said, model) for said in prompt.messages],
    }
    if thinking := next((how for name, how in THINKING_BY_MODEL if name in model), None):
        body["thinking"] = thinking
    if question.schema is not None:
        schema = transform_schema(dict(question.schema))
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body | _tool_parameters(prompt)


def build_reply(messages: Sequence[Message], question: ModelRequest, model: str) -> ModelReply:
    """Return the turn that the messages add up to: several where the provider paused in between.

    Raises:
        WastedError: it has no end, an end that nobody knows, or no content. An answer in a schema may be
            empty:
            it does not fit, and that can be repaired.
    """
    last, usage = messages[-1], sum_usage(convert_usage(message.usage) for message in messages)
    stop_reason = STOP_REASONS.get(last.stop_reason or "")
    text = "".join(block.text for message in messages for block in message.content if block.type == "text")
    calls = (
        _tool_calls(last) if stop_reason == "tool_use" else ()
    )  # the arguments of others may have been cut
    if stop_reason is None or not (text or calls or question.schema or stop_reason == "refusal"):
        raise UnusableReplyError("the model's answer was cut off", reason="cut_off", usage=usage)
    verbatim = ProviderBlocks(model=model, blocks=tuple(provider_blocks_of(messages))) if calls else None
    return ModelReply(
        text=text,
        stop_reason=stop_reason,
        model=last.model,
        usage=usage,
        calls=calls,
        verbatim=verbatim,
    )


def provider_blocks_of(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the blocks as the provider wants them back."""
    return [block.to_dict(mode="json") for message in messages for block in message.content]


def convert_usage(counted: Counted) -> TokenUsage:
    return TokenUsage(
        input=counted.input_tokens,
        output=counted.output_tokens,
        cache_read=counted.cache_read_input_tokens or 0,
        cache_write=counted.cache_creation_input_tokens or 0,
    )


def sum_usage(usages: Iterable[TokenUsage]) -> TokenUsage:
    return sum(usages, start=TokenUsage(input=0, output=0))


def _tool_calls(message: Message) -> tuple[ToolCall, ...]:
    used = (block for block in message.content if block.type == "tool_use")
    return tuple(ToolCall(call_id=block.id, name=block.name, arguments=dict(block.input)) for block in used)


def _tool_parameters(prompt: Prompt) -> dict[str, Any]:
    if not prompt.tools:
        return {}
    forbidden = {} if prompt.calling else {"tool_choice": {"type": "none"}}
    return {"tools": [_tool_definition(tool) for tool in prompt.tools], **forbidden}


def _tool_definition(tool: ToolDefinition) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _system_block(block: SystemBlock) -> dict[str, Any]:
    return {"type": "text", "text": block.text, **_cache_control(cached=block.cached)}


def _chat_message(said: ChatMessage, model: str) -> dict[str, Any]:
    """Words alone are sent as words; a model gets its own blocks back, and another's only what they say."""
    if said.verbatim and said.verbatim.model == model:
        return {"role": said.role, "content": list(said.verbatim.blocks)}
    if not (said.calls or said.results or said.cached):
        return {"role": said.role, "content": said.text}
    blocks: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": each.call_id, "content": each.content, "is_error": each.failed}
        for each in said.results
    ]
    blocks += [{"type": "text", "text": said.text}] if said.text else []
    blocks += [
        {"type": "tool_use", "id": each.call_id, "name": each.name, "input": each.arguments}
        for each in said.calls
    ]
    return {"role": said.role, "content": [*blocks[:-1], blocks[-1] | _cache_control(cached=said.cached)]}


def _cache_control(*, cached: bool) -> dict[str, Any]:
    return {"cache_control": {"type": "ephemeral"}} if cached else {}


PAUSES_MAX = 3
"""How often a turn that the provider paused is taken up again."""
STALL_SECONDS = 20.0
"""A stream that says nothing for so long has died; its pings come every few seconds."""
SECONDS_MIN = 0.1


class ClaudeClient:
    def __init__(self, client: "Anthropic | AnthropicBedrock", name: str) -> None:
        self._client, self.name = client.with_options(max_retries=0), name

    def generate_reply(self, question: ModelRequest) -> ModelReply:
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

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
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
