"""A turn of chat: gather, assemble, let the model speak, store both messages, tell the bus.

One core, thin shells.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

from functions.chat.admission import answers, check
from functions.chat.api import MessageIn
from functions.chat.gathering import Gathered, Gatherer
from functions.chat.results import Results
from functions.chat.speaking import Heard, Speaking, Underway, from_the_beginning
from functions.chat.toolbox import Toolbox
from functions.chat.tooling import Acting
from functions.chat.turns import (
    Asked,
    TurnIds,
    acting_of,
    is_summary_due,
    later,
    recorded,
    summary_due,
    trace_of,
    turn_of,
)
from membus.domain.calibration import ratio_of
from membus.domain.context import Context, assemble
from membus.domain.conversation import Conversation, MessageIds, Step, Turn, title_of
from membus.domain.erasure import Hidden
from membus.domain.identity import Owner
from membus.domain.pending import Progress
from membus.domain.prompt import Usage
from membus.domain.provenance import Trace
from membus.erasing import Gate, erasing, shown
from membus.errors import ConflictError, UnavailableError
from membus.ports.clock import Clock
from membus.ports.conversations import ConversationStore
from membus.ports.events import EventBus
from membus.ports.model import LanguageModel


@dataclass(frozen=True)
class Done:
    """The turn is stored, or was before; always the last event."""

    turn: Turn


ChatEvent = Heard | Done


@dataclass(frozen=True)
class Promise:
    """The ids that somebody has been told already, the progress made before, and where more of it is kept."""

    ids: TurnIds
    before: Progress | None
    keep: Callable[[Progress], None]


@dataclass(frozen=True)
class Chat:
    """`model` is a function of the tenant who pays, so that showing a context never loads a model client.

    `toolbox` makes the tools of one turn, for whoever acts in it.
    """

    gatherer: Gatherer
    gate: Gate
    conversations: ConversationStore
    bus: EventBus
    announcements: Callable[[], EventBus]
    model: Callable[[str], LanguageModel]
    toolbox: Callable[[Acting], Toolbox]
    results: Results
    clock: Clock
    seconds_left: Callable[[], float]
    ids: MessageIds

    def answer(self, tenant: str, conversation_id: str, asked: MessageIn, *, request_key: str) -> Turn:
        """Return the turn that `events` ends with, for a shell that has nobody to stream to."""
        turns = (
            event.turn
            for event in self.events(tenant, conversation_id, asked, request_key=request_key, streaming=False)
            if isinstance(event, Done)
        )
        return next(turns)

    def told(self, tenant: str, conversation_id: str, asked: MessageIn, *, request_key: str) -> Turn | None:
        """Return the turn that the same request got before, told to the bus once more: no model is asked."""
        earlier = self.conversations.turn(tenant, conversation_id, request_key)
        return self.answer(tenant, conversation_id, asked, request_key=request_key) if earlier else None

    def events(
        self,
        tenant: str,
        conversation_id: str,
        asked: MessageIn,
        *,
        request_key: str,
        streaming: bool,
        promised: Promise | None = None,
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
        check(asked)
        author = Owner(tenant=tenant, user=asked.author)
        earlier = self.gatherer.pool.submit(self.conversations.turn, tenant, conversation_id, request_key)
        hidden = self.gatherer.pool.submit(self.gate.hidden, tenant)
        gathered = self.gatherer.begin(author, conversation_id, asked.content).finish()
        turn = earlier.result()
        self._admit(author, gathered.conversation, hidden.result())
        if turn is None:
            now = self.clock()
            promised = promised or Promise(TurnIds.new(self.ids, now), None, lambda _: None)
            named = Asked(asked, asked.fingerprint, now, promised.ids)
            turn = yield from self._answered(gathered, named, request_key, streaming, promised)
        answers(turn.request, asked)
        self._tell(gathered.conversation, turn)
        yield Done(turn)

    def context(self, tenant: str, conversation_id: str, message: str, *, author: str | None) -> Context:
        """Return exactly what `message` would send, without sending it."""
        conversation = self.gate.open(tenant, conversation_id, self.conversations)
        owner = Owner(tenant=tenant, user=author or conversation.user_id)
        gathered = self.gatherer.begin(owner, conversation_id, message).finish()
        return assemble(gathered.sources, message, self.clock())

    def _admit(self, author: Owner, conversation: Conversation, hidden: Hidden) -> None:
        """Let a turn go on.

        Nobody's words are read, shown to a model or written while they are being erased.
        """
        if hidden.covers(author.user) or hidden.covers(conversation.user_id):
            raise erasing()
        shown(conversation, hidden, self.conversations)

    def _answered(
        self,
        gathered: Gathered,
        asked: Asked,
        request_key: str,
        streaming: bool,  # noqa: FBT001 (handed on as it is)
        promised: Promise,
    ) -> Generator[ChatEvent, None, Turn]:
        context = assemble(gathered.sources, asked.message.content, asked.at)
        tenant = gathered.conversation.tenant_id
        toolbox = self.toolbox(acting_of(asked, gathered.conversation, context))
        underway = self._underway(gathered.conversation, asked, toolbox, promised)
        spoken = yield from Speaking(self.model(tenant), toolbox, self.seconds_left, streaming).turn(
            context, underway
        )
        turn = turn_of(asked, gathered.conversation, context, spoken, now=self.clock())
        turn = self.results.keep(gathered.conversation, turn, toolbox.whole)
        trace = trace_of(turn, asked, gathered.sources, context, spoken)
        stored = self._store(gathered.conversation, turn, request_key, trace)
        if is_summary_due(gathered.conversation, stored, ratio_of(trace.rate)):
            # What is not taken is due again with the next turn.
            self.announcements().publish([summary_due(gathered.conversation, stored)])
        return stored

    def _underway(
        self, conversation: Conversation, asked: Asked, toolbox: Toolbox, promised: Promise
    ) -> Underway:
        """Return what was done for this very message before, and have each further step kept."""

        def keep(steps: tuple[Step, ...], usage: Usage) -> None:
            whole = self.results.spill(conversation, asked.ids.reply, toolbox.whole)
            promised.keep(Progress(request=asked.request, steps=steps, usage=usage, whole=whole))

        before = promised.before
        if before is None or before.request != asked.request:
            return replace(from_the_beginning(), keep=keep)
        toolbox.know(before.steps, self.results.whole(before.whole))
        return Underway(before.steps, before.usage, keep)

    def _store(self, conversation: Conversation, turn: Turn, request_key: str, trace: Trace) -> Turn:
        """Store the turn; where a summary was faster than its answer, as one that was said after it."""
        try:
            self._add(conversation, turn, request_key, trace)
        except ConflictError as error:
            if error.code != "covered":
                raise ConflictError(
                    "the same request is being answered right now", code="in_progress"
                ) from error
            turn = later(turn, self.ids, self.clock())
            self._add(
                conversation, turn, request_key, trace.about(turn.user.message_id, turn.assistant.message_id)
            )
        return turn

    def _add(self, conversation: Conversation, turn: Turn, request_key: str, trace: Trace) -> None:
        self.conversations.add(
            conversation.tenant_id,
            conversation.conversation_id,
            turn,
            request_key=request_key,
            title=title_of(turn.user.content),
            trace=trace,
        )

    def _tell(self, conversation: Conversation, turn: Turn) -> None:
        """Tell the bus, again on every repeat of the request: the event's id makes the copies one.

        Of what is not to be remembered the bus, whose archive keeps everything, hears nothing at all.
        """
        if turn.user.remember and self.bus.publish([recorded(conversation, turn)]):
            raise UnavailableError("the turn is stored but not yet learned from; send the same request again")
