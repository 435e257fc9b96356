"""The tool calls of one turn, each run once, bounded in time and size; the model hears of every failure.

Also the full results, kept beside the reply where a prompt had room for a part of them only.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from functions.chat.deadline import Deadline
from functions.chat.tools import RegisteredTool, ToolArguments, ToolContext, ToolRegistry, ToolSources
from membus.conversations.conversation import Conversation, Message, Step, tool_results_key
from membus.conversations.prompt_blocks import fence_block
from membus.core.blobs import BlobStore
from membus.core.errors import InvalidError, MembusError, UnavailableError
from membus.core.tokens import estimate_tokens
from membus.llm.prompt import ToolCall, ToolResult

RESERVE_SECONDS = 8.0
"""What is left of a turn for the model to answer with what the tools found."""
HANDOVER_SECONDS = 1.0
"""What is left of a resumable turn, which is answered elsewhere, to keep what the tools found."""
CUT_NOTE_TOKENS = 30
RESULT_TOKENS_MIN = 50
"""Tokens below which not even the note of a cut result fits; no tool is run for less."""


@dataclass(frozen=True)
class ToolExecutor:
    """`on_failure` hears of each tool that failed, and why.

    `full_results` keeps, by call, what the model got only a part of.
    """

    registry: ToolRegistry
    sources: ToolSources
    context: ToolContext
    pool: ThreadPoolExecutor
    deadline: Deadline
    on_failure: Callable[[str, str], None]
    full_results: dict[str, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    @property
    def has_time(self) -> bool:
        return self.deadline.seconds_left() > RESERVE_SECONDS

    def record_calls(self, steps: Sequence[Step], full_results: Mapping[str, str]) -> None:
        """Take over what was called before the turn was cut off: a call is run once a turn."""
        self._seen.update(_call_identity(call) for step in steps for call in step.calls)
        self.full_results.update(full_results)

    def is_repeated(self, calls: Sequence[ToolCall]) -> bool:
        """Whether every one of these calls was made before: a model that goes in circles is stopped."""
        return all(_call_identity(call) in self._seen for call in calls)

    def run_calls(self, calls: Sequence[ToolCall], *, room: float) -> tuple[ToolResult, ...]:
        """Return a result for each call, in their order: together at most `room` tokens and their frames.

        Raises:
            DeadlineError: the turn is resumable, and a tool needs more time than is left here.
        """
        results: list[ToolResult] = []
        for call in calls:
            result = self._run_call(call, room)
            room -= estimate_tokens(result.content)
            results.append(result)
        return tuple(results)

    def _run_call(self, call: ToolCall, room: float) -> ToolResult:
        try:
            if room < RESULT_TOKENS_MIN:
                raise UnavailableError(
                    "no room is left for results: answer with what is known", code="no_room"
                )
            tool, lines = self._run_tool(call)
        except MembusError as error:
            self.on_failure(call.name, error.code)
            content = f"{error.code}: {error.detail}"
            return ToolResult(
                call_id=call.call_id, content=content[: max(int(room), 0) * 4 or 1], failed=True
            )
        shown = _first_lines(lines, min(tool.tokens, room))
        if shown != lines:
            self.full_results[call.call_id] = "\n".join(lines)
            shown = [*shown, f"[{len(shown)} of {len(lines)} lines are shown: ask for less to see the rest]"]
        return ToolResult(call_id=call.call_id, content=fence_block("result", shown))

    def _run_tool(self, call: ToolCall) -> tuple[RegisteredTool, list[str]]:
        tool = self.registry.tools.get(call.name)
        if tool is None:
            raise InvalidError(f"there is no such tool; there are {', '.join(sorted(self.registry.tools))}")
        if _call_identity(call) in self._seen:
            raise InvalidError("this very call was made before: use what it gave", code="repeated_call")
        self._seen.add(_call_identity(call))
        try:
            arguments = tool.arguments.model_validate(call.arguments)
        except ValidationError as error:
            raise InvalidError(_argument_problems(error)) from error
        return tool, self._wait_for_lines(tool, arguments)

    def _wait_for_lines(self, tool: RegisteredTool, arguments: ToolArguments) -> list[str]:
        reserve = HANDOVER_SECONDS if self.deadline.resumable else RESERVE_SECONDS
        seconds = min(tool.seconds, self.deadline.seconds_left() - reserve)
        if seconds <= 0:
            self.deadline.require(tool.seconds)
            raise UnavailableError("no time is left for tools: answer with what is known", code="timed_out")
        running = self.pool.submit(tool.act, arguments, self.context, self.sources)
        try:
            return list(running.result(timeout=seconds))
        except TimeoutError as error:
            running.cancel()
            if seconds < tool.seconds:
                self.deadline.require(tool.seconds)
            raise UnavailableError("it took too long and was given up", code="timed_out") from error
        except MembusError:
            raise
        except Exception as error:
            # A defect of one tool costs its result, not the user's answer; the log names it.
            self.on_failure(tool.name, type(error).__name__)
            raise UnavailableError("the tool failed", code="tool_failed") from error


def _call_identity(call: ToolCall) -> str:
    return f"{call.name} {json.dumps(call.arguments, sort_keys=True)}"


def _argument_problems(error: ValidationError) -> str:
    """Return what is wrong with the arguments without a word of what was in them."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:5])


def _first_lines(lines: list[str], budget: float) -> list[str]:
    """Return as many lines as fit the budget with their fence: all, or some and room for the note."""
    frame = estimate_tokens(fence_block("result", []))
    if sum(estimate_tokens(line) + 1 for line in lines) + frame <= budget:
        return lines
    left = budget - frame - CUT_NOTE_TOKENS
    shown: list[str] = []
    for line in lines:
        left -= estimate_tokens(line) + 1
        if left < 0:
            break
        shown.append(line)
    return shown


class FullToolResult(BaseModel):
    """A call and its full result; the model saw `shown` of it."""

    call: ToolCall
    failed: bool
    shown: str
    content: str


class FullToolResults(BaseModel):
    """All results of the tools that a reply called."""

    items: list[FullToolResult]


@dataclass(frozen=True)
class ToolResultStore:
    """`on_failure` hears of results that could not be kept: an answer does not wait for them."""

    contents: Callable[[], BlobStore]
    on_failure: Callable[[str], None]

    def save_results(
        self, conversation: Conversation, message_id: str, full_results: Mapping[str, str]
    ) -> str | None:
        """Keep results by call and return their key; None where there are none, or they could not be kept.

        The key says how many there are, for a stored text is never another one later.
        """
        if not full_results:
            return None
        key = tool_results_key(conversation, message_id, len(full_results))
        try:
            self.contents().put_text(key, json.dumps(dict(full_results), ensure_ascii=False))
        except UnavailableError as error:
            self.on_failure(error.code)
            return None
        return key

    def load_results(self, key: str | None) -> dict[str, str]:
        """Return the results under the key, by call."""
        text = self.contents().get_text(key) if key else None
        found: dict[str, str] = json.loads(text) if text else {}
        return found

    def list_results(self, message: Message) -> FullToolResults:
        full_results = self.load_results(message.spilled)
        items = [
            FullToolResult(
                call=call,
                failed=result.failed,
                shown=result.content,
                content=full_results.get(call.call_id, result.content),
            )
            for step in message.steps
            for call, result in zip(step.calls, step.results, strict=True)
        ]
        return FullToolResults(items=items)
