"""Calls of tools within one turn.

Checked, run once each, bounded in time and size, every failure said to the model.

What tools gave beyond what a prompt had room for.

Kept beside the reply, and read back for whoever looks into it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from functions.chat.tools import RegisteredTool, ToolContext, ToolRegistry, ToolSources
from membus.conversations.conversation import Conversation, Step, Turn, tool_results_key
from membus.conversations.ports import ConversationStore
from membus.conversations.prompt_blocks import fence_block
from membus.core.blobs import BlobStore
from membus.core.errors import InvalidError, MembusError, UnavailableError
from membus.core.tokens import estimate_tokens
from membus.llm.prompt import ToolCall, ToolResult

RESERVE_SECONDS = 8.0
"""What is left of a turn for the model to answer with what the tools found."""
CUT_NOTE_TOKENS = 30
RESULT_TOKENS_MIN = 50
"""Tokens below which not even the note of a cut result fits; no tool is run for less."""


@dataclass(frozen=True)
class ToolExecutor:
    """`tell` hears of each tool that failed, and why.

    `whole` keeps what the model got only a part of, by call.
    """

    registry: ToolRegistry
    sources: ToolSources
    acting: ToolContext
    pool: ThreadPoolExecutor
    seconds_left: Callable[[], float]
    tell: Callable[[str, str], None]
    whole: dict[str, str] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    @property
    def has_time(self) -> bool:
        return self.seconds_left() > RESERVE_SECONDS

    def record_calls(self, steps: Sequence[Step], whole: Mapping[str, str]) -> None:
        """Take over what was called before the turn was cut off: a call is run once a turn."""
        self._asked.update(_call_identity(call) for step in steps for call in step.calls)
        self.whole.update(whole)

    def is_repeated(self, calls: Sequence[ToolCall]) -> bool:
        """Whether every one of these calls was made before.

        A model that goes in circles is not asked to go on.
        """
        return all(_call_identity(call) in self._asked for call in calls)

    def run_calls(self, calls: Sequence[ToolCall], *, room: float) -> tuple[ToolResult, ...]:
        """Return a result for each call, in their order.

        Together they take at most `room` tokens and their frames.
        """
        results: list[ToolResult] = []
        for call in calls:
            result = self._answered(call, room)
            room -= estimate_tokens(result.content)
            results.append(result)
        return tuple(results)

    def _answered(self, call: ToolCall, room: float) -> ToolResult:
        try:
            if room < RESULT_TOKENS_MIN:
                raise UnavailableError(
                    "no room is left for results: answer with what is known", code="no_room"
                )
            tool, lines = self._run(call)
        except MembusError as error:
            self.tell(call.name, error.code)
            content = f"{error.code}: {error.detail}"
            return ToolResult(
                call_id=call.call_id, content=content[: max(int(room), 0) * 4 or 1], failed=True
            )
        shown = _first_lines(lines, min(tool.tokens, room))
        if shown != lines:
            self.whole[call.call_id] = "\n".join(lines)
            shown = [*shown, f"[{len(shown)} of {len(lines)} lines are shown: ask for less to see the rest]"]
        return ToolResult(call_id=call.call_id, content=fence_block("result", shown))

    def _run(self, call: ToolCall) -> tuple[RegisteredTool, list[str]]:
        tool = self.registry.tools.get(call.name)
        if tool is None:
            raise InvalidError(f"there is no such tool; there are {', '.join(sorted(self.registry.tools))}")
        if _call_identity(call) in self._asked:
            raise InvalidError("this very call was made before: use what it gave", code="repeated_call")
        self._asked.add(_call_identity(call))
        try:
            asked = tool.arguments.model_validate(call.arguments)
        except ValidationError as error:
            raise InvalidError(_argument_problems(error)) from error
        seconds = min(tool.seconds, self.seconds_left() - RESERVE_SECONDS)
        if seconds <= 0:
            raise UnavailableError("no time is left for tools: answer with what is known", code="timed_out")
        running = self.pool.submit(tool.act, asked, self.acting, self.sources)
        try:
            return tool, list(running.result(timeout=seconds))
        except TimeoutError as error:
            running.cancel()
            raise UnavailableError("it took too long and was given up", code="timed_out") from error
        except MembusError:
            raise
        except Exception as error:
            # A defect of one tool costs its result, not the user's answer; the log names it.
            self.tell(call.name, type(error).__name__)
            raise UnavailableError("the tool failed", code="tool_failed") from error


def _call_identity(call: ToolCall) -> str:
    return f"{call.name} {json.dumps(call.arguments, sort_keys=True)}"


def _argument_problems(error: ValidationError) -> str:
    """Return what is wrong with the arguments without a word of what was in them."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:5])


def _first_lines(lines: list[str], budget: float) -> list[str]:
    """Return as many lines as fit the budget with their fence, all or with room for the note that some are missing."""
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

    def attach_results(self, conversation: Conversation, turn: Turn, whole: Mapping[str, str]) -> Turn:
        """Return the turn whose reply names where its results lie whole.

        Most turns have none that was cut.
        """
        key = self.save_results(conversation, turn.assistant.message_id, whole)
        return turn.model_copy(update={"assistant": turn.assistant.model_copy(update={"spilled": key})})

    def save_results(
        self, conversation: Conversation, message_id: str, whole: Mapping[str, str]
    ) -> str | None:
        """Keep results by call and return where: None where there are none, or they could not be kept.

        The place says how many there are, for a text that is kept is never another one later.
        """
        if not whole:
            return None
        key = tool_results_key(conversation, message_id, len(whole))
        try:
            self.contents().put_text(key, json.dumps(dict(whole), ensure_ascii=False))
        except UnavailableError as error:
            self.tell(error.code)
            return None
        return key

    def load_results(self, key: str | None) -> dict[str, str]:
        """Return the results that lie there whole, by call."""
        text = self.contents().get_text(key) if key else None
        found: dict[str, str] = json.loads(text) if text else {}
        return found

    def list_results(
        self, conversations: ConversationStore, tenant: str, conversation_id: str, message_id: str
    ) -> FullToolResults:
        """Raises NotFoundError where there is no such message; the caller has found its conversation."""
        message = conversations.get_message(tenant, conversation_id, message_id)
        whole = self.load_results(message.spilled)
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
