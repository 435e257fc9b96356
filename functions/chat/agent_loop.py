"""The agent loop: the model speaks, its tool calls are run, and it speaks again, until it has answered."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from functions.chat.context import PROMPT_TOKENS_MAX, PromptContext
from functions.chat.deadline import Deadline, DeadlineError
from functions.chat.tool_calls import RESERVE_SECONDS, ToolExecutor
from membus.conversations.conversation import Step
from membus.core.errors import BusyError, ModelError, UnavailableError
from membus.core.text.normalization import is_blank
from membus.core.tokens import MESSAGE_OVERHEAD, TokenUsage
from membus.llm.ports import LanguageModel
from membus.llm.prompt import ChatMessage, ModelReply, Prompt, ReplyEnd, TextDelta, ToolCall, ToolResult

MAX_TOKENS = 1_000
STEPS_MAX = 5
STEP_TOKENS_MIN = 200
ROUNDING_TOKENS = 10
"""Parts that are counted apart may come to so much less than the whole."""
"""Tokens below the ceiling that a result is worth asking for."""
STEP_OVERHEAD = 2 * MESSAGE_OVERHEAD
"""Of the two messages that a step adds to a prompt."""
TIMEOUT_SLACK_SECONDS = 0.5
"""A call that fails so shortly before the deadline ran out of time."""
NO_USAGE = TokenUsage(input=0, output=0, dollars=0.0)

ChatStreamEvent = TextDelta | ToolCall | ToolResult | TokenUsage


@dataclass(frozen=True)
class AgentResult:
    """`first` answered the prompt of the turn, `last` is the answer; `usage` is that of the whole turn.

    In a resumed turn `tokens_before` tokens of steps stood behind that prompt already.
    """

    first: ModelReply
    last: ModelReply
    usage: TokenUsage
    steps: tuple[Step, ...] = ()
    tokens_before: int = 0


@dataclass(frozen=True)
class TurnProgress:
    """The steps that were taken before the turn was cut off, their usage, and what keeps each further one."""

    steps: tuple[Step, ...]
    usage: TokenUsage
    keep: Callable[[tuple[Step, ...], TokenUsage], None]


@dataclass(frozen=True)
class AgentLoop:
    model: LanguageModel
    tools: ToolExecutor
    deadline: Deadline
    streaming: bool

    def run_turn(
        self, context: PromptContext, progress: TurnProgress
    ) -> Generator[ChatStreamEvent, None, AgentResult]:
        """Yield what is heard until the model has answered, with the tools it calls for on the way.

        After five steps, in circles, out of room or out of time it has to answer with what it has: the tools
        stay in the prompt, and so in the provider's cache, but may not be called. Calls that themselves would
        outgrow the ceiling are not answered: the model is asked once more without them. Each step is kept
        before the model is asked again, so that a turn that is cut off goes on from there.

        Raises:
            DeadlineError: the turn is resumable, and its next call has no time left here or was cut off.
        """
        prompt = context.prompt
        room = PROMPT_TOKENS_MAX / context.ratio - context.estimated - ROUNDING_TOKENS
        steps, usage = list(progress.steps), progress.usage
        for kept in steps:
            reply_before = ChatMessage(role="assistant", text=kept.text, calls=kept.calls)
            prompt, room = _append_step(prompt, reply_before, kept, room)
        prompt = prompt.model_copy(update={"calling": not steps or self._may_call(steps, room)})
        replies = [(yield from self._ask_model(prompt))]
        while replies[-1].calls and prompt.calling:
            reply, may_call = replies[-1], False
            repeated = self.tools.is_repeated(reply.calls)
            if step := (yield from self._run_tools(reply, room)):
                steps.append(step)
                progress.keep(tuple(steps), _total_usage([usage, *(each.usage for each in replies)]))
                prompt, room = _append_step(prompt, reply.to_message(), step, room)
                may_call = not repeated and self._may_call(steps, room)
            prompt = prompt.model_copy(update={"calling": may_call})
            replies.append((yield from self._ask_model(prompt)))
        tokens_before = sum(step.estimate_tokens() + STEP_OVERHEAD for step in progress.steps)
        total = _total_usage([usage, *(reply.usage for reply in replies)])
        return AgentResult(replies[0], replies[-1], total, tuple(steps), tokens_before)

    def _may_call(self, steps: Sequence[Step], room: float) -> bool:
        self.deadline.require(RESERVE_SECONDS)
        return len(steps) < STEPS_MAX and room >= STEP_TOKENS_MIN and self.tools.has_time

    def _run_tools(self, reply: ModelReply, room: float) -> Generator[ChatStreamEvent, None, Step | None]:
        """Yield the results of a reply's calls.

        Return the step, None where the reply alone outgrows the room.
        """
        step = Step(text=reply.text, calls=reply.calls, results=())
        left = room - step.estimate_tokens() - STEP_OVERHEAD
        if left < 0:
            return None
        results = self.tools.run_calls(reply.calls, room=left)
        yield from results
        return step.model_copy(update={"results": results})

    def _ask_model(self, prompt: Prompt) -> Generator[ChatStreamEvent, None, ModelReply]:
        self.deadline.require(RESERVE_SECONDS)
        try:
            return (yield from (self._stream if self.streaming else self._generate)(prompt))
        except UnavailableError as error:
            wait = (isinstance(error, BusyError) and error.asked_seconds) or 0.0
            if self.deadline.resumable and self.deadline.seconds_left() <= wait + TIMEOUT_SLACK_SECONDS:
                raise DeadlineError from error
            raise

    def _generate(self, prompt: Prompt) -> Generator[ChatStreamEvent, None, ModelReply]:
        """Ask for the whole reply, with as many tries as there is time for."""
        reply = self.model.generate_reply(
            prompt, max_tokens=MAX_TOKENS, timeout_seconds=self.deadline.seconds_left()
        )
        yield from [TextDelta(text=reply.text)] if reply.text else []
        yield from reply.calls
        return reply

    def _stream(self, prompt: Prompt) -> Generator[ChatStreamEvent, None, ModelReply]:
        """Ask word by word; a reply that breaks off was heard, so it is kept as far as it goes."""
        text, usage = "", TokenUsage(input=0, output=0)
        try:
            for event in self.model.stream_reply(
                prompt, max_tokens=MAX_TOKENS, timeout_seconds=self.deadline.seconds_left()
            ):
                if isinstance(event, ReplyEnd):
                    return event.reply
                if isinstance(event, TextDelta):
                    text += event.text
                elif isinstance(event, TokenUsage):
                    usage = event
                yield event
            raise ModelError("the model's answer was cut off", reason="cut_off")
        except UnavailableError:
            if is_blank(text):
                raise
            return ModelReply(text=text, stop_reason="cut_off", model=self.model.name, usage=usage)


def _append_step(prompt: Prompt, said: ChatMessage, step: Step, room: float) -> tuple[Prompt, float]:
    """Return the prompt with a step behind it, and the room that is left."""
    messages = (*prompt.messages, said, ChatMessage(role="user", results=step.results))
    return prompt.model_copy(update={"messages": messages}), room - step.estimate_tokens() - STEP_OVERHEAD


def _total_usage(usages: list[TokenUsage]) -> TokenUsage:
    dollars = [usage.dollars for usage in usages if usage.dollars is not None]
    tokens = sum(usages[1:], start=usages[0])
    return tokens.model_copy(update={"dollars": sum(dollars) if len(dollars) == len(usages) else None})
