"""A turn of chat: gather, assemble, let the model speak, store both messages, tell the bus.

One core, thin shells.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

from functions.chat.agent_loop import AgentLoop, ChatStreamEvent, TurnProgress, new_turn_progress
from functions.chat.context import PromptContext, assemble_context
from functions.chat.context_loader import ContextLoader, LoadedContext
from functions.chat.schemas import MessageIn, check_message, ensure_same_message
from functions.chat.tool_calls import ToolExecutor, ToolResultStore
from functions.chat.tools import ToolContext
from functions.chat.turn_records import (
    TurnIds,
    TurnRequest,
    build_metadata,
    build_turn,
    is_summary_due,
    make_tool_context,
    summary_due_event,
    turn_recorded_event,
    with_new_ids,
)
from membus.conversations.conversation import Conversation, MessageIdGenerator, Step, Turn, make_title
from membus.conversations.ports import ConversationStore
from membus.conversations.provenance import TurnMetadata
from membus.conversations.reply_jobs import StepProgress
from membus.conversations.window import ratio_or_default
from membus.core.clock import Clock
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import ConflictError, UnavailableError
from membus.core.identity import Owner
from membus.core.tokens import TokenUsage
from membus.erasure.guard import ErasureGuard, ensure_conversation_visible, erasing_error
from membus.events.ports import EventBus
from membus.llm.ports import LanguageModel


@dataclass(frozen=True)
class TurnEnd:
    """The turn is stored, or was before; always the last event."""

    turn: Turn


ChatEvent = ChatStreamEvent | TurnEnd


@dataclass(frozen=True)
class TurnResumption:
    """The ids that somebody has been told already, the progress made before, and where more of it is kept."""

    ids: TurnIds
    before: StepProgress | None
    keep: Callable[[StepProgress], None]


@dataclass(frozen=True)
class ChatService:
    """`model` is a function of the tenant who pays, so that showing a context never loads a model client.

    `toolbox` makes the tools of one turn, for whoever acts in it.
    """

    gatherer: ContextLoader
    gate: ErasureGuard
    conversations: ConversationStore
    bus: EventBus
    announcements: Callable[[], EventBus]
    model: Callable[[str], LanguageModel]
    toolbox: Callable[[ToolContext], ToolExecutor]
    results: ToolResultStore
    clock: Clock
    seconds_left: Callable[[], float]
    ids: MessageIdGenerator

    def answer_message(
        self, tenant: str, conversation_id: str, asked: MessageIn, *, request_key: str
    ) -> Turn:
        """Return the turn that `events` ends with, for a shell that has nobody to stream to."""
        turns = (
            event.turn
            for event in self.stream_events(
                tenant, conversation_id, asked, request_key=request_key, streaming=False
            )
            if isinstance(event, TurnEnd)
        )
        return next(turns)

    def find_completed_turn(
        self, tenant: str, conversation_id: str, asked: MessageIn, *, request_key: str
    ) -> Turn | None:
        """Return the turn that the same request got before, told to the bus once more: no model is asked."""
        earlier = self.conversations.find_turn(tenant, conversation_id, request_key)
        return (
            self.answer_message(tenant, conversation_id, asked, request_key=request_key) if earlier else None
        )

    def stream_events(
        self,
        tenant: str,
        conversation_id: str,
        asked: MessageIn,
        *,
        request_key: str,
        streaming: bool,
        promised: TurnResumption | None = None,
    ) -> Iterator[ChatEvent]:
        """Yield what happens until a message is answered, `Done` last.

        The same request key asks a model once.

        A stream that breaks off is a turn too: an incomplete one, and what the same request key gets from
        then on.

        Raises:
            InvalidError: blank or too long, or `idempotency_mismatch`: the key was used for another message.
            ConflictError: `erasing`, the author or the conversation's owner is being erased;
                of somebody else who takes part it is UnavailableError, until their words are gone;
                `in_progress`, the same request was answered elsewhere at the same moment.
            UnavailableError: the model or the bus is down; the same request may be sent again.
        """
        check_message(asked)
        author = Owner(tenant=tenant, user=asked.author)
        earlier = self.gatherer.pool.submit(
            self.conversations.find_turn, tenant, conversation_id, request_key
        )
        hidden = self.gatherer.pool.submit(self.gate.get_hidden, tenant)
        gathered = self.gatherer.start_reads(author, conversation_id, asked.content).wait_for_context()
        turn = earlier.result()
        self._admit(author, gathered.conversation, hidden.result())
        if turn is None:
            now = self.clock()
            promised = promised or TurnResumption(TurnIds.generate_ids(self.ids, now), None, lambda _: None)
            named = TurnRequest(asked, asked.fingerprint, now, promised.ids)
            turn = yield from self._answered(gathered, named, request_key, streaming, promised)
        ensure_same_message(turn.request, asked)
        self._tell(gathered.conversation, turn)
        yield TurnEnd(turn)

    def preview_context(
        self, tenant: str, conversation_id: str, message: str, *, author: str | None
    ) -> PromptContext:
        """Return exactly what `message` would send, without sending it."""
        conversation = self.gate.load_conversation(tenant, conversation_id, self.conversations)
        owner = Owner(tenant=tenant, user=author or conversation.user_id)
        gathered = self.gatherer.start_reads(owner, conversation_id, message).wait_for_context()
        return assemble_context(gathered.sources, message, self.clock())

    def _admit(self, author: Owner, conversation: Conversation, hidden: SubjectsBeingErased) -> None:
        """Let a turn go on.

        Nobody's words are read, shown to a model or written while they are being erased.
        """
        if hidden.contains_user(author.user) or hidden.contains_user(conversation.user_id):
            raise erasing_error()
        ensure_conversation_visible(conversation, hidden, self.conversations)

    def _answered(
        self,
        gathered: LoadedContext,
        asked: TurnRequest,
        request_key: str,
        streaming: bool,  # noqa: FBT001 (handed on as it is)
        promised: TurnResumption,
    ) -> Generator[ChatEvent, None, Turn]:
        context = assemble_context(gathered.sources, asked.message.content, asked.at)
        tenant = gathered.conversation.tenant_id
        toolbox = self.toolbox(make_tool_context(asked, gathered.conversation, context))
        underway = self._underway(gathered.conversation, asked, toolbox, promised)
        spoken = yield from AgentLoop(self.model(tenant), toolbox, self.seconds_left, streaming).run_turn(
            context, underway
        )
        turn = build_turn(asked, gathered.conversation, context, spoken, now=self.clock())
        turn = self.results.attach_results(gathered.conversation, turn, toolbox.whole)
        trace = build_metadata(turn, asked, gathered.sources, context, spoken)
        stored = self._store(gathered.conversation, turn, request_key, trace)
        if is_summary_due(gathered.conversation, stored, ratio_or_default(trace.rate)):
            # What is not taken is due again with the next turn.
            self.announcements().publish_events([summary_due_event(gathered.conversation, stored)])
        return stored

    def _underway(
        self, conversation: Conversation, asked: TurnRequest, toolbox: ToolExecutor, promised: TurnResumption
    ) -> TurnProgress:
        """Return what was done for this very message before, and have each further step kept."""

        def keep(steps: tuple[Step, ...], usage: TokenUsage) -> None:
            whole = self.results.save_results(conversation, asked.ids.reply, toolbox.whole)
            promised.keep(StepProgress(request=asked.request, steps=steps, usage=usage, whole=whole))

        before = promised.before
        if before is None or before.request != asked.request:
            return replace(new_turn_progress(), keep=keep)
        toolbox.record_calls(before.steps, self.results.load_results(before.whole))
        return TurnProgress(before.steps, before.usage, keep)

    def _store(self, conversation: Conversation, turn: Turn, request_key: str, trace: TurnMetadata) -> Turn:
        """Store the turn; where a summary was faster than its answer, as one that was said after it."""
        try:
            self._add(conversation, turn, request_key, trace)
        except ConflictError as error:
            if error.code != "covered":
                raise ConflictError(
                    "the same request is being answered right now", code="in_progress"
                ) from error
            turn = with_new_ids(turn, self.ids, self.clock())
            self._add(
                conversation,
                turn,
                request_key,
                trace.with_message_ids(turn.user.message_id, turn.assistant.message_id),
            )
        return turn

    def _add(self, conversation: Conversation, turn: Turn, request_key: str, trace: TurnMetadata) -> None:
        self.conversations.add_turn(
            conversation.tenant_id,
            conversation.conversation_id,
            turn,
            request_key=request_key,
            title=make_title(turn.user.content),
            trace=trace,
        )

    def _tell(self, conversation: Conversation, turn: Turn) -> None:
        """Tell the bus, again on every repeat of the request: the event's id makes the copies one.

        Of what is not to be remembered the bus, whose archive keeps everything, hears nothing at all.
        """
        if turn.user.remember and self.bus.publish_events([turn_recorded_event(conversation, turn)]):
            raise UnavailableError("the turn is stored but not yet learned from; send the same request again")
