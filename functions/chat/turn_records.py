"""A turn in the making: the request for it, its messages, its metadata and its events."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

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
from membus.conversations.reply_jobs import JOB_LIFETIME, ReplyJob, RequestRef
from membus.conversations.window import message_tokens, needs_summary, update_ratio
from membus.core.event import Event
from membus.core.identity import Caller, Id, Owner, Record
from membus.core.text.normalization import is_blank, normalize_text
from membus.core.tokens import estimate_tokens
from membus.events.sizes import cut_to_bytes

REFUSAL_TEXT = "I can't help with that."


class TurnJob(Record):
    """All that a turn needs to be worked on anywhere; tenant and rights are the credential's.

    The ids of both messages are known before there is an answer, so that it can be asked for. Its frames go
    to the connection; without one its client asks for the reply.
    """

    tenant: Id
    conversation_id: Id
    message: MessageIn
    request_key: str
    message_id: Id
    reply_id: Id
    asked_at: AwareDatetime
    connection_id: str | None = None

    @property
    def author(self) -> Owner:
        return Owner(tenant=self.tenant, user=self.message.author)

    @property
    def request(self) -> RequestRef:
        return RequestRef(self.tenant, self.conversation_id, self.request_key)

    def to_reply_job(self, until: datetime | None = None) -> ReplyJob:
        """Return the job of its reply, in force until then, or for as long as a background turn may take."""
        return ReplyJob(
            message_id=self.reply_id,
            request=self.message.fingerprint,
            since=self.asked_at,
            until=until or self.asked_at + JOB_LIFETIME,
        )


def new_turn_job(
    caller: Caller,
    conversation_id: str,
    message: MessageIn,
    *,
    request_key: str,
    ids: MessageIdGenerator,
    now: datetime,
    connection_id: str | None = None,
) -> TurnJob:
    return TurnJob(
        tenant=caller.tenant,
        conversation_id=conversation_id,
        message=message,
        request_key=request_key,
        message_id=ids.next_id(now),
        reply_id=ids.next_id(now),
        asked_at=now,
        connection_id=connection_id,
    )


def make_tool_context(job: TurnJob, conversation: Conversation, context: PromptContext) -> ToolContext:
    """Return who acts in this turn, and what they said in it that may be remembered."""
    author, message = job.message.author, job.message.content
    said = [
        each.content
        for each in context.window
        if (each.role, each.author) == ("user", author) and each.remember
    ]
    return ToolContext(
        owner=job.author,
        agent_id=conversation.agent_id,
        conversation_id=conversation.conversation_id,
        said=(*said, message),
        remember=job.message.remember,
        now=job.asked_at,
    )


_STATUSES: dict[str, Literal["incomplete", "refused"]] = {"cut_off": "incomplete", "refusal": "refused"}


def build_turn(
    job: TurnJob,
    conversation: Conversation,
    context: PromptContext,
    result: AgentResult,
    *,
    now: datetime,
    full_results_key: str | None = None,
) -> Turn:
    """Return the turn; an answer that broke off is kept, and says so."""
    answered_at = max(now, job.asked_at + timedelta(milliseconds=1))
    text = REFUSAL_TEXT if is_blank(result.last.text) else result.last.text
    asked = job.message
    refused = result.last.stop_reason == "refusal"
    return Turn(
        user=_message(
            job.message_id,
            job.asked_at,
            role="user",
            content=asked.content,
            author=asked.author,
            remember=asked.remember,
            status="refused" if refused else "complete",
        ),
        assistant=_message(
            job.reply_id,
            answered_at,
            role="assistant",
            content=text,
            author=conversation.agent_id,
            remember=asked.remember,
            status=_STATUSES.get(result.last.stop_reason, "complete"),
            steps=result.steps,
            spilled=full_results_key,
        ),
        request=asked.fingerprint,
        stop_reason=result.last.stop_reason,
        usage=result.usage,
        footprint=_footprint(context, result),
    )


def _footprint(context: PromptContext, result: AgentResult) -> PromptFootprint:
    """Return what the last prompt was made of: the first one of the turn, and its steps of tools."""
    steps = round(sum(step.estimate_tokens() for step in result.steps) * context.ratio)
    sections = (
        (*context.sections, PromptSection(name="tools", tokens=steps)) if result.steps else context.sections
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
    turn: Turn,
    job: TurnJob,
    sources: PromptSources,
    context: PromptContext,
    result: AgentResult,
    *,
    agent_id: str,
) -> TurnMetadata:
    reply, rate = result.first, sources.counters.rate
    if reply.usage.input:  # nothing was counted of an answer that broke off before it was said
        estimated = context.estimated + result.tokens_before
        rate = update_ratio(rate, reply.model, estimated=estimated, usage=reply.usage)
    versions = {fact.key: fact.version for fact in sources.profile.facts}
    shown = (line.removeprefix("- ").partition(": ")[0] for line in context.facts)
    provenance = PromptProvenance(
        message_id=turn.assistant.message_id,
        user_message_id=turn.user.message_id,
        author=turn.user.author,
        at=job.asked_at,
        model=reply.model,
        prompt_hash=prompt_fingerprint(context.prompt),
        prompt_version=PROMPT_VERSION,
        facts=tuple(FactRef(key=key, version=versions[key]) for key in shown),
        outline_version=sources.summary_index.last_checkpoint.version,
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
        rate=sources.counters.rate,
    )
    return TurnMetadata(
        agent_id=agent_id,
        cut=context.cut if context.cut != sources.counters.cut else None,
        rate=rate,
        provenance=provenance,
    )


def is_summary_due(conversation: Conversation, turn: Turn, ratio: float) -> bool:
    counters, covered = conversation.counters, conversation.counters.summary_checkpoint
    tokens = counters.tokens - covered.tokens + message_tokens(turn.user) + message_tokens(turn.assistant)
    return needs_summary(
        tokens=round(tokens * ratio), messages=conversation.message_count - covered.messages + 2
    )


ANSWER_BYTES_MAX = 40_000
"""Bytes of an answer in its turn's event, five times what a model may answer: a character in JSON takes up to
six, and an event must fit a queue."""


def turn_recorded_event(conversation: Conversation, turn: Turn) -> Event:
    return _event(
        conversation,
        turn,
        turn.event_id,
        "turn.recorded",
        user={"text": turn.user.content}
        | {
            mark: quotes
            for mark, tool in (("asked_to_keep", "remember"), ("asked_to_forget", "forget"))
            if (quotes := _marked_quotes(turn, tool))
        },
        assistant={"text": cut_to_bytes(turn.assistant.content, ANSWER_BYTES_MAX)},
    )


def summary_due_event(conversation: Conversation, turn: Turn) -> Event:
    return _event(conversation, turn, f"summary-due-{turn.user.message_id}", "summary.due")


def _marked_quotes(turn: Turn, tool: str) -> list[str]:
    """Return the words of this message that a tool took; those of earlier ones have events."""
    taken = (
        str(call.arguments["quote"])
        for step in turn.assistant.steps
        for call, result in zip(step.calls, step.results, strict=True)
        if call.name == tool and not result.failed
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
