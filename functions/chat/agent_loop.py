"""Let the model speak: word by word or whole, and as many steps of tools in between as a turn allows."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from functions.chat.context import PROMPT_TOKENS_MAX, PromptContext
from functions.chat.tool_calls import ToolExecutor
from membus.conversations.conversation import Step
from membus.core.errors import ModelError, UnavailableError
from membus.core.text.normalization import is_blank
from membus.core.tokens import MESSAGE_OVERHEAD, TokenUsage
from membus.llm.ports import LanguageModel
from membus.llm.prompt import ChatMessage, ModelReply, Prompt, ReplyEnd, TextDelta, ToolCall, ToolResult

MAX_TOKENS = 1_000
STEPS_MAX = 5
STEP_TOKENS_MIN = 200
"""Tokens below the ceiling that a result is worth asking for."""
STEP_OVERHEAD = 2 * MESSAGE_OVERHEAD
"""Of the two messages that a step adds to a prompt."""

ChatStreamEvent = TextDelta | ToolCall | ToolResult | TokenUsage


@dataclass
class PartialReply:
    """What has been heard of an answer, in case there will be no more of it: it was heard, so it is kept."""

    model: str
    text: str = ""
    usage: TokenUsage = TokenUsage(input=0, output=0)  # noqa: RUF009 - frozen

    def append_event(self, event: TextDelta | ToolCall | TokenUsage) -> None:
        if isinstance(event, TextDelta):
            self.text += event.text
        elif isinstance(event, TokenUsage):
            self.usage = event

    def to_reply(self) -> ModelReply:
        return ModelReply(text=self.text, stop_reason="cut_off", model=self.model, usage=self.usage)


@dataclass(frozen=True)
class AgentResult:
    """`first` answered the prompt of the turn.

    `last` is what was said in the end, and took `usage` with all before.

    In a turn that was taken up again, `before` tokens of steps stood behind that prompt already.
    """

    first: ModelReply
    last: ModelReply
    usage: TokenUsage
    steps: tuple[Step, ...] = ()
    before: int = 0


@dataclass(frozen=True)
class TurnProgress:
    """What was done of a turn before it was cut off, and where each further step is kept with what it took."""

    steps: tuple[Step, ...]
    usage: TokenUsage
    keep: Callable[[tuple[Step, ...], TokenUsage], None]


NO_USAGE = TokenUsage(input=0, output=0, dollars=0.0)


def new_turn_progress() -> TurnProgress:
    """Return a turn of which nothing is done and nothing kept."""
    return TurnProgress((), NO_USAGE, lambda _steps, _usage: None)


@dataclass(frozen=True)
class AgentLoop:
    model: LanguageModel
    toolbox: ToolExecutor
    seconds_left: Callable[[], float]
    streaming: bool

    def run_turn(
        self, context: PromptContext, underway: TurnProgress
    ) -> Generator[ChatStreamEvent, None, AgentResult]:
        """Yield what is heard until the model has answered, with the tools it calls for on the way.

        After five steps, in circles, out of room or out of time it has to answer with what it has: the tools
        stay in the prompt, and so in the provider's cache, but may not be called. Calls that themselves would
        outgrow the ceiling are not answered: the model is asked once more without them. Each step is kept
        before the model is asked again, so that a turn that is cut off goes on from there.
        """
        prompt, room = context.prompt, (PROMPT_TOKENS_MAX - context.total_tokens) / context.ratio
        steps, usage = list(underway.steps), underway.usage
        for done in steps:
            prompt, room = _append_step(
                prompt, ChatMessage(role="assistant", text=done.text, calls=done.calls), done, room
            )
        prompt = prompt.model_copy(update={"calling": not steps or self._goes_on(steps, room)})
        replies = [(yield from self._speak(prompt))]
        while replies[-1].calls and prompt.calling:
            reply, goes_on = replies[-1], False
            circling = self.toolbox.is_repeated(reply.calls)
            if step := (yield from self._step(reply, room)):
                steps.append(step)
                underway.keep(tuple(steps), _total_usage([usage, *(each.usage for each in replies)]))
                prompt, room = _append_step(prompt, reply.to_message(), step, room)
                goes_on = not circling and self._goes_on(steps, room)
            prompt = prompt.model_copy(update={"calling": goes_on})
            replies.append((yield from self._speak(prompt)))
        before = sum(step.estimate_tokens() + STEP_OVERHEAD for step in underway.steps)
        total = _total_usage([usage, *(reply.usage for reply in replies)])
        return AgentResult(replies[0], replies[-1], total, tuple(steps), before)

    def _goes_on(self, steps: Sequence[Step], room: float) -> bool:
        return len(steps) < STEPS_MAX and room >= STEP_TOKENS_MIN and self.toolbox.has_time

    def _step(self, reply: ModelReply, room: float) -> Generator[ChatStreamEvent, None, Step | None]:
        """Yield the results of a reply's calls.

        Return the step, None where the reply alone outgrows the room.
        """
        asked = Step(text=reply.text, calls=reply.calls, results=())
        left = room - asked.estimate_tokens() - STEP_OVERHEAD
        if left < 0:
            return None
        results = self.toolbox.run_calls(reply.calls, room=left)
        yield from results
        return asked.model_copy(update={"results": results})

    def _speak(self, prompt: Prompt) -> Generator[ChatStreamEvent, None, ModelReply]:
        """Let the model speak once: word by word, or whole with as many tries as there is time for."""
        if not self.streaming:
            reply = self.model.generate_reply(
                prompt, max_tokens=MAX_TOKENS, timeout_seconds=self.seconds_left()
            )
            yield from [TextDelta(text=reply.text)] if reply.text else []
            yield from reply.calls
            return reply
        said = PartialReply(self.model.name)
        try:
            for event in self.model.stream_reply(
                prompt, max_tokens=MAX_TOKENS, timeout_seconds=self.seconds_left()
            ):
                if isinstance(event, ReplyEnd):
                    return event.reply
                said.append_event(event)
                yield event
            raise ModelError("the model's answer was cut off", reason="cut_off")
        except UnavailableError:
            if is_blank(said.text):
                raise
            return said.to_reply()


def _append_step(prompt: Prompt, said: ChatMessage, step: Step, room: float) -> tuple[Prompt, float]:
    """Return the prompt with a step behind it, and the room that is left."""
    messages = (*prompt.messages, said, ChatMessage(role="user", results=step.results))
    return prompt.model_copy(update={"messages": messages}), room - step.estimate_tokens() - STEP_OVERHEAD


def _total_usage(usages: list[TokenUsage]) -> TokenUsage:
    dollars = [usage.dollars for usage in usages if usage.dollars is not None]
    tokens = sum(usages[1:], start=usages[0])
    return tokens.model_copy(update={"dollars": sum(dollars) if len(dollars) == len(usages) else None})
