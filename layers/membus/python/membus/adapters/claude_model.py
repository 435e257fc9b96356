"""Claude through the Anthropic client, on the first-party API or on Bedrock alike."""

import json
import time
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, TypeVar

from anthropic import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    PermissionDeniedError,
    transform_schema,
)
from anthropic.types import Message
from pydantic import BaseModel, ValidationError

from membus.domain.prompt import Block, Prompt, Reply, Said, Usage
from membus.errors import ModelError, UnavailableError

if TYPE_CHECKING:
    from anthropic import Anthropic, AnthropicBedrock

Shape = TypeVar("Shape", bound=BaseModel)
PAUSES = (0.5, 2.0)
"""Seconds before the second and the third try. A provider's `retry-after` is not slept: it may name an hour."""
_TRY_LATER = {408, 409, 429}


class ClaudeModel:
    def __init__(self, client: "Anthropic | AnthropicBedrock", name: str) -> None:
        self._client, self.name = client.with_options(max_retries=0), name

    def reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> Reply:
        message = self._create(prompt, max_tokens, timeout_seconds, {})
        text = "".join(block.text for block in message.content if block.type == "text")
        if message.stop_reason is None or not (text or message.stop_reason == "refusal"):
            raise ModelError("the model's answer was cut off", reason="cut_off")
        return Reply(text=text, stop_reason=message.stop_reason, model=message.model, usage=_usage(message))

    def answer(self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float) -> Shape:
        wanted = {"output_config": {"format": {"type": "json_schema", "schema": transform_schema(shape)}}}
        ends_at = time.monotonic() + timeout_seconds
        text = self._text(self._create(prompt, max_tokens, timeout_seconds, wanted))
        try:
            return shape.model_validate_json(text)
        except ValidationError as error:
            repair = _repaired(prompt, text, error)
        message = self._create(repair, max_tokens, ends_at - time.monotonic(), wanted)
        try:
            return shape.model_validate_json(self._text(message))
        except ValidationError as error:
            raise ModelError("the model's answer does not fit its schema", reason="malformed") from error

    def _text(self, message: Message) -> str:
        """Return the whole text of a finished answer; a refusal or a cut-off one is no answer."""
        if message.stop_reason != "end_turn":
            reason = {"refusal": "refused", "max_tokens": "max_tokens"}.get(message.stop_reason or "", "cut_off")
            raise ModelError(f"the model stopped with {message.stop_reason}", reason=reason)
        return "".join(block.text for block in message.content if block.type == "text")

    def _create(self, prompt: Prompt, max_tokens: int, timeout_seconds: float, wanted: dict[str, Any]) -> Message:
        ends_at = time.monotonic() + timeout_seconds
        for pause in (*PAUSES, None):
            try:
                return self._call(prompt, max_tokens, max(ends_at - time.monotonic(), 0.1), wanted)
            except (APIConnectionError, APIStatusError) as error:
                if pause is None or not _worth_another_try(error) or time.monotonic() + pause >= ends_at:
                    raise _translated(error) from error
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _call(self, prompt: Prompt, max_tokens: int, timeout_seconds: float, wanted: dict[str, Any]) -> Message:
        """Ask once. The client hands on whatever a 200 held, a proxy's error page for one, as if it were a message."""
        try:
            message: Any = self._client.messages.create(
                model=self.name,
                max_tokens=max_tokens,
                system=[_block(block) for block in prompt.system],
                messages=[_said(said) for said in prompt.messages],
                timeout=timeout_seconds,
                **wanted,
            )
        except JSONDecodeError as error:
            raise ModelError("the provider's answer is not JSON", reason="no_answer") from error
        if not isinstance(message, Message) or not isinstance(message.content, list):
            raise ModelError("the provider's answer is no message", reason="no_answer")
        return message


def _worth_another_try(error: APIConnectionError | APIStatusError) -> bool:
    return not isinstance(error, APIStatusError) or error.status_code in _TRY_LATER or error.status_code >= 500  # noqa: PLR2004


def _translated(error: APIConnectionError | APIStatusError) -> Exception:
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return UnavailableError("the model provider refused the configured credential", code="model_unavailable")
    if _worth_another_try(error):
        return UnavailableError("the model cannot be reached right now", code="model_unavailable")
    return ModelError("the model provider refused the request", reason="invalid_request")


def _repaired(prompt: Prompt, text: str, error: ValidationError) -> Prompt:
    complaint = json.dumps(error.errors(include_url=False, include_input=False, include_context=False)[:5])
    again = f"That answer does not fit the schema: {complaint}. Answer again with nothing but the JSON."
    said = (*prompt.messages, Said(role="assistant", text=text or "(nothing)"), Said(role="user", text=again))
    return Prompt(system=prompt.system, messages=said)


def _block(block: Block) -> Any:
    cached = {"cache_control": {"type": "ephemeral"}} if block.cached else {}
    return {"type": "text", "text": block.text, **cached}


def _said(said: Said) -> Any:
    return {"role": said.role, "content": said.text}


def _usage(message: Message) -> Usage:
    counted = message.usage
    return Usage(
        input=counted.input_tokens,
        output=counted.output_tokens,
        cache_read=counted.cache_read_input_tokens or 0,
        cache_write=counted.cache_creation_input_tokens or 0,
    )
