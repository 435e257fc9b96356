"""A turn in the making: its messages, what it leaves behind, and what the bus is told of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.chat.agent_loop import AgentResult
from functions.chat.context import PROMPT_VERSION, PromptContext, PromptSources, prompt_fingerprint
from functions.chat.schemas import MessageIn
from functions.chat.tools import ToolContext
from membus.conversations.conversation import (
    Conversation,
    Message,
    MessageIdGenerator,
    PromptFootprint,
    PromptSection,
    Step,
    Turn,
)
from membus.conversations.provenance import FactRef, PromptProvenance, RecallRef, TurnMetadata, UnprocessedRef
from membus.conversations.window import message_tokens, needs_summary, update_ratio
from membus.core.event import Event
from membus.core.identity import Id, Owner, Record
from membus.core.text.normalization import is_blank, normalize_text
from membus.core.tokens import estimate_tokens

REFUSAL_TEXT = "I can't help with that."


class TurnIds(Record):
    """What a turn's two messages will be called.

    Known before there is an answer, so that it can be asked for.
    """

    user: Id
    reply: Id

    @classmethod
    def generate_ids(cls, ids: MessageIdGenerator, now: datetime) -> "TurnIds":
        return cls(user=ids.next_id(now), reply=ids.next_id(now))


@dataclass(frozen=True)
class TurnRequest:
    """A message on its way to an answer; `request` is the fingerprint of what was asked."""

    message: MessageIn
    request: str
    at: datetime
    ids: TurnIds


def make_tool_context(asked: TurnRequest, conversation: Conversation, context: PromptContext) -> ToolContext:
    """Return who acts in this turn, and what they said in it that may be remembered."""
    author, message = asked.message.author, asked.message.content
    said = [
        each.content
        for each in context.window
        if (each.role, each.author) == ("user", author) and each.remember
    ]
    return ToolContext(
        owner=Owner(tenant=conversation.tenant_id, user=author),
        agent_id=conversation.agent_id,
        conversation_id=conversation.conversation_id,
        said=(*said, message),
        remember=asked.message.remember,
        now=asked.at,
    )


def build_turn(
    asked: TurnRequest,
    conversation: Conversation,
    context: PromptContext,
    spoken: AgentResult,
    *,
    now: datetime,
) -> Turn:
    """Return the turn; an answer that broke off is kept, and says so."""
    answered_at = max(now, asked.at + timedelta(milliseconds=1))
    text = REFUSAL_TEXT if is_blank(spoken.last.text) else spoken.last.text
    author, remember = asked.message.author, asked.message.remember
    return Turn(
        user=_message(
            asked.ids.user,
            asked.at,
            role="user",
            content=asked.message.content,
            author=author,
            remember=remember,
        ),
        assistant=_message(
            asked.ids.reply,
            answered_at,
            role="assistant",
            content=text,
            author=conversation.agent_id,
            remember=remember,
            status="incomplete" if spoken.last.stop_reason == "cut_off" else "complete",
            steps=spoken.steps,
        ),
        request=asked.request,
        stop_reason=spoken.last.stop_reason,
        usage=spoken.usage,
        footprint=_footprint(context, spoken),
    )


def _footprint(context: PromptContext, spoken: AgentResult) -> PromptFootprint:
    """Return what the last prompt of the turn was made of.

    That of the turn, and the steps of tools behind it.
    """
    steps = round(sum(step.estimate_tokens() for step in spoken.steps) * context.ratio)
    sections = (
        (*context.sections, PromptSection(name="tools", tokens=steps)) if spoken.steps else context.sections
    )
    return PromptFootprint(
        sections=sections, budget=context.budget, total_tokens=context.total_tokens + steps
    )


def with_new_ids(turn: Turn, ids: MessageIdGenerator, now: datetime) -> Turn:
    """Return the turn as said now: a summary that was faster must not have gone past it."""
    said = {
        side: message.model_copy(update={"message_id": ids.next_id(now), "created_at": now})
        for side, message in (("user", turn.user), ("assistant", turn.assistant))
    }
    return turn.model_copy(update=said)


def build_metadata(
    turn: Turn, asked: TurnRequest, sources: PromptSources, context: PromptContext, spoken: AgentResult
) -> TurnMetadata:
    reply, rate = spoken.first, sources.marks.rate
    if reply.usage.input:  # nothing was counted of an answer that broke off before it was said
        rate = update_ratio(rate, reply.model, estimated=context.estimated + spoken.before, usage=reply.usage)
    versions = {fact.key: fact.version for fact in sources.profile.facts}
    shown = (line.removeprefix("- ").partition(": ")[0] for line in context.facts)
    made = PromptProvenance(
        message_id=turn.assistant.message_id,
        user_message_id=turn.user.message_id,
        author=turn.user.author,
        at=asked.at,
        model=reply.model,
        prompt_hash=prompt_fingerprint(context.prompt),
        prompt_version=PROMPT_VERSION,
        facts=tuple(FactRef(key=key, version=versions[key]) for key in shown),
        outline_version=sources.outline.last_checkpoint.version,
        cut=context.cut,
        window_first=context.window[0].message_id if context.window else None,
        window_last=context.window[-1].message_id if context.window else None,
        window_messages=len(context.window),
        entities=context.entities,
        need=context.need,
        recalled=tuple(map(RecallRef.from_passage, context.recalled)),
        fresh=tuple(
            UnprocessedRef(conversation_id=each.conversation_id, event_id=each.event_id)
            for each in context.fresh
        ),
        rate=sources.marks.rate,
    )
    return TurnMetadata(
        cut=context.cut if context.cut != sources.marks.cut else None, rate=rate, provenance=made
    )


def is_summary_due(conversation: Conversation, turn: Turn, ratio: float) -> bool:
    marks, covered = conversation.marks, conversation.marks.summary_checkpoint
    tokens = marks.tokens - covered.tokens + message_tokens(turn.user) + message_tokens(turn.assistant)
    return needs_summary(
        tokens=round(tokens * ratio), messages=conversation.message_count - covered.messages + 2
    )


def turn_recorded_event(conversation: Conversation, turn: Turn) -> Event:
    return _event(
        conversation,
        turn,
        turn.event_id,
        "turn.recorded",
        user={"text": turn.user.content}
        | ({"asked_to_keep": quotes} if (quotes := _quotes_to_keep(turn)) else {}),
        assistant={"text": turn.assistant.content},
    )


def summary_due_event(conversation: Conversation, turn: Turn) -> Event:
    return _event(conversation, turn, f"summary-due-{turn.user.message_id}", "summary.due")


def _quotes_to_keep(turn: Turn) -> list[str]:
    """Return the words of this message that the tool `remember` took.

    A mark on the one event that tells of them.

    What it took of earlier messages was told of with theirs.
    """
    taken = (
        str(call.arguments["quote"])
        for step in turn.assistant.steps
        for call, result in zip(step.calls, step.results, strict=True)
        if call.name == "remember" and not result.failed
    )
    said = normalize_text(turn.user.content)
    return list(dict.fromkeys(quote for quote in taken if normalize_text(quote) in said))


def _event(conversation: Conversation, turn: Turn, event_id: str, kind: str, **payload: object) -> Event:
    named = {"conversation_id": conversation.conversation_id, "message_id": turn.user.message_id}
    return Event(
        event_id=event_id,
        tenant_id=conversation.tenant_id,
        user_id=turn.user.author,
        agent_id=conversation.agent_id,
        session_id=conversation.conversation_id,
        type=kind,
        occurred_at=turn.user.created_at,
        origin="chat",
        payload=named | payload,
    )


def _message(message_id: str, moment: datetime, *, steps: tuple[Step, ...] = (), **fields: object) -> Message:
    tokens = estimate_tokens(str(fields["content"])) + sum(step.estimate_tokens() for step in steps)
    stamped = {"message_id": message_id, "created_at": moment, "tokens": tokens, "steps": steps}
    return Message.model_validate(fields | stamped)
