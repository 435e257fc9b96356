"""Language models as the container makes them, over any client of Anthropic's, and a wire that answers by script."""

import json
from typing import Any

import httpx2
from pydantic import BaseModel

from membus.llm.claude import ClaudeClient
from membus.llm.clients import RetryingClient, StructuredModel
from membus.llm.prompt import ModelReply
from tests.factories import a_prompt

Served = httpx2.Response | Exception


def model_with_retries(client: Any, name: str = "claude-test") -> StructuredModel:
    return StructuredModel(RetryingClient(ClaudeClient(client, name)))


class City(BaseModel):
    city: str
    people: int


class ScriptedWire:
    """Answers requests from a list, the last one for ever, and keeps their bodies."""

    def __init__(self) -> None:
        self.answers: list[Served] = []
        self.requests: list[httpx2.Request] = []

    def serve(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


def message(text: str = "Hello.", stop: str | None = "end_turn", **usage: int) -> httpx2.Response:
    body = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude-test-1",
        "stop_sequence": None,
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": stop,
        "usage": {"input_tokens": 10, "output_tokens": 3} | usage,
    }
    return httpx2.Response(200, json=body)


def trouble(status: int, **headers: str) -> httpx2.Response:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    return httpx2.Response(status, json=error, headers=headers)


def reply(model: StructuredModel, seconds: float = 30) -> ModelReply:
    return model.generate_reply(a_prompt(), max_tokens=100, timeout_seconds=seconds)


def answer(model: StructuredModel, seconds: float = 30) -> City:
    return model.answer(a_prompt(), City, max_tokens=200, timeout_seconds=seconds).value
