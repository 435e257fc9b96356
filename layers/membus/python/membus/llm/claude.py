"""Claude through the Anthropic client, on its own API or on Bedrock: request, reply, stream and errors.

Each request is sent once; errors are translated once, with their cause.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
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
from membus.core.text.normalization import is_blank
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
    TextDelta,
    ToolCall,
    UnusableReplyError,
)

if TYPE_CHECKING:
    from anthropic import Anthropic, AnthropicBedrock

_TRY_LATER = {408, 409, 429}
_FATAL_STREAM_ERRORS = {"invalid_request_error", "request_too_large", "validationException"}
"""Error events that another try does not help; every other one is a fault of the provider."""


@contextmanager
def translate_claude_errors() -> Iterator[None]:
    """Translate the errors of the client and of its HTTP library.

    Raises:
        BusyError: overloaded, unreachable or cut off; `asked_seconds` is the provider's `retry-after`.
        UnavailableError: the configured credential is refused.
        ModelError: the request is refused, or the response is no answer.
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
    in_stream = error.status_code == 200  # noqa: PLR2004
    if busy or (in_stream and error.type not in _FATAL_STREAM_ERRORS):
        asked = _asked_seconds(error.response.headers)
        return BusyError(
            "the model cannot be reached right now", code="model_unavailable", asked_seconds=asked
        )
    return ModelError("the model provider refused the request", reason="invalid_request")


def _asked_seconds(headers: httpx2.Headers) -> float | None:
    """Return the wait that the provider asks for, in milliseconds, seconds or by a date; None without one."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"])) if "retry-after" in headers else None
    except ValueError:
        with suppress(ValueError):
            return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
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
"""Models that think by default, and how to turn it off (platform.claude.com, "Turn off up-front thinking").

Thinking is paid as output and counts against `max_tokens`, which tasks size for the answer alone.
"""


def build_request_body(request: ModelRequest, model: str) -> dict[str, Any]:
    """Return the request's parameters; absent ones are left out, which keeps the provider's cached prefix."""
    prompt = request.prompt
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "system": [
            {"type": "text", "text": block.text, **_cache_control(cached=block.cached)}
            for block in prompt.system
        ],
        "messages": [_chat_message(message, model) for message in prompt.messages],
    }
    if thinking := next((how for name, how in THINKING_BY_MODEL if name in model), None):
        body["thinking"] = thinking
    if request.schema is not None:
        schema = transform_schema(dict(request.schema))
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body | _tool_parameters(prompt)


def build_reply(messages: Sequence[Message], request: ModelRequest, model: str) -> ModelReply:
    """Return the turn that the messages add up to: several where the provider paused it.

    Raises:
        UnusableReplyError: it has no end, an unknown end, or no content. With a schema, content may be
            missing: the answer does not fit, which can be repaired.
    """
    last, usage = messages[-1], _sum_usage(messages)
    stop_reason = STOP_REASONS.get(last.stop_reason or "")
    text = "".join(block.text for message in messages for block in message.content if block.type == "text")
    # Only a turn that stopped for its calls has them whole.
    calls = _tool_calls(last) if stop_reason == "tool_use" else ()
    if stop_reason is None or not (text or calls or request.schema or stop_reason == "refusal"):
        raise UnusableReplyError("the model's answer was cut off", reason="cut_off", usage=usage)
    verbatim = ProviderBlocks(model=model, blocks=tuple(_provider_blocks(messages))) if calls else None
    return ModelReply(
        text=text, stop_reason=stop_reason, model=last.model, usage=usage, calls=calls, verbatim=verbatim
    )


def _provider_blocks(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the blocks as the provider wants them back: it sends texts of white space, and takes none."""
    blocks = (block for message in messages for block in message.content)
    return [
        block.to_dict(mode="json") for block in blocks if block.type != "text" or not is_blank(block.text)
    ]


def _token_usage(counted: Counted) -> TokenUsage:
    return TokenUsage(
        input=counted.input_tokens,
        output=counted.output_tokens,
        cache_read=counted.cache_read_input_tokens or 0,
        cache_write=counted.cache_creation_input_tokens or 0,
    )


def _sum_usage(messages: Iterable[Message]) -> TokenUsage:
    return sum((_token_usage(message.usage) for message in messages), start=TokenUsage(input=0, output=0))


def _tool_calls(message: Message) -> tuple[ToolCall, ...]:
    used = (block for block in message.content if block.type == "tool_use")
    return tuple(ToolCall(call_id=block.id, name=block.name, arguments=dict(block.input)) for block in used)


def _tool_parameters(prompt: Prompt) -> dict[str, Any]:
    if not prompt.tools:
        return {}
    tools = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
        for tool in prompt.tools
    ]
    return {"tools": tools} if prompt.calling else {"tools": tools, "tool_choice": {"type": "none"}}


def _chat_message(message: ChatMessage, model: str) -> dict[str, Any]:
    """Return a message; of another model's turn a model gets only text, calls and results."""
    if message.verbatim and message.verbatim.model == model:
        stored = message.verbatim.blocks
        shown = [each for each in stored if each.get("type") != "text" or not is_blank(each.get("text"))]
        return {"role": message.role, "content": shown}
    if not (message.calls or message.results or message.cached):
        return {"role": message.role, "content": message.text}
    blocks: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": each.call_id, "content": each.content, "is_error": each.failed}
        for each in message.results
    ]
    blocks += [] if is_blank(message.text) else [{"type": "text", "text": message.text}]
    blocks += [
        {"type": "tool_use", "id": each.call_id, "name": each.name, "input": each.arguments}
        for each in message.calls
    ]
    blocks[-1] |= _cache_control(cached=message.cached)
    return {"role": message.role, "content": blocks}


def _cache_control(*, cached: bool) -> dict[str, Any]:
    return {"cache_control": {"type": "ephemeral"}} if cached else {}


PAUSES_MAX = 3
"""How often a turn that the provider paused is continued."""
STALL_SECONDS = 20.0
"""A stream without an event for so long is dead: the provider pings every few seconds."""
SECONDS_MIN = 0.1


class ClaudeClient:
    """One Claude model; `client` belongs to the first-party API or to Bedrock."""

    def __init__(self, client: "Anthropic | AnthropicBedrock", name: str) -> None:
        self._client, self.name = client.with_options(max_retries=0), name

    def generate_reply(self, request: ModelRequest) -> ModelReply:
        messages: list[Message] = []
        while not messages or _is_paused(messages):
            body = self._body(request, messages)
            with translate_claude_errors():
                answer = self._client.messages.create(timeout=_remaining_seconds(request), **body)
                messages.append(_validate_message(answer))
        return build_reply(messages, request, self.name)

    def stream_reply(self, request: ModelRequest) -> Iterator[ModelEvent]:
        messages: list[Message] = []
        while not messages or _is_paused(messages):
            messages.append((yield from self._stream_message(request, messages)))
        reply = build_reply(messages, request, self.name)
        yield from reply.calls
        yield reply.usage
        yield ReplyEnd(reply=reply)

    def _stream_message(
        self, request: ModelRequest, earlier: Sequence[Message]
    ) -> Generator[ModelEvent, None, Message]:
        """Yield the words of one message and return it; a reader that stops reading ends the request."""
        body, left = self._body(request, earlier), _remaining_seconds(request)
        timeout = Timeout(left, read=min(left, STALL_SECONDS))
        with translate_claude_errors(), self._client.messages.stream(timeout=timeout, **body) as stream:
            for event in stream:
                if event.type == "text":
                    yield TextDelta(text=event.text)
                elif event.type == "message_start":
                    yield _sum_usage(earlier) + _token_usage(event.message.usage)
                elif event.type == "message_stop":
                    return stream.current_message_snapshot
                if time.monotonic() > request.ends_at:
                    raise BusyError("the model did not finish in time", code="model_unavailable")
        raise ModelError("the model's answer was cut off", reason="cut_off")

    def _body(self, request: ModelRequest, earlier: Sequence[Message]) -> dict[str, Any]:
        """Return the request; a paused turn continues where it paused."""
        body = build_request_body(request, self.name)
        if earlier:
            body["messages"].append({"role": "assistant", "content": _provider_blocks(earlier)})
        return body


def _is_paused(messages: Sequence[Message]) -> bool:
    if messages[-1].stop_reason != PAUSE_STOP_REASON:
        return False
    if len(messages) > PAUSES_MAX:
        usage = _sum_usage(messages)
        raise UnusableReplyError("the model paused its turn too often", reason="paused", usage=usage)
    return True


def _remaining_seconds(request: ModelRequest) -> float:
    return max(request.ends_at - time.monotonic(), SECONDS_MIN)


def _validate_message(answer: Any) -> Message:
    """Return the answer; the client passes on any 200, a proxy's error page too, as if it were a message."""
    if not isinstance(answer, Message) or not isinstance(answer.content, list):
        raise ModelError("the provider's answer is no message", reason="no_answer")
    return answer
