"""A turn of chat: gather, assemble, let the model speak, store both messages, tell the bus. One core, thin shells."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from functions.chat.api import MessageIn
from functions.chat.gathering import Gathered, Gatherer
from functions.chat.results import Results
from functions.chat.speaking import Heard, Speaking
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
from membus.domain.context import Context, assemble, bounded
from membus.domain.conversation import Conversation, MessageIds, Turn, title_of
from membus.domain.erasure import Hidden
from membus.domain.identity import Owner
from membus.domain.provenance import Trace
from membus.domain.visible import is_blank
from membus.erasing import Gate, erasing, shown
from membus.errors import ConflictError, InvalidError, UnavailableError
from membus.ports.clock import Clock
from membus.ports.conversations import ConversationStore
from membus.ports.events import EventBus
from membus.ports.model import LanguageModel

CONTENT_BYTES_MAX = 64_000
"""Far above what 500 tokens come to in any script; refused before anything is counted."""


@dataclass(frozen=True)
class Done:
    """The turn is stored, or was before; always the last event."""

    turn: Turn


ChatEvent = Heard | Done


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

    def events(
        self,
        tenant: str,
        conversation_id: str,
        asked: MessageIn,
        *,
        request_key: str,
        streaming: bool,
        promised: TurnIds | None = None,
    ) -> Iterator[ChatEvent]:
        """Yield what happens until a message is answered, `Done` last; the same request key asks a model once.

        `promised` are the ids that somebody has been told already. A stream that breaks off is a turn too: an
        incomplete one, and what the same request key gets from then on.

        Raises:
            InvalidError: blank or too long, or `idempotency_mismatch`: the key was used for another message.
            ConflictError: `erasing`, the author or the conversation's owner is being erased;
                of somebody else who takes part it is UnavailableError, until their words are gone;
                `in_progress`, the same request was answered elsewhere at the same moment.
            UnavailableError: the model or the bus is down; the same request may be sent again.
        """
        check(asked)
        request = hashlib.sha256(asked.model_dump_json().encode()).hexdigest()
        author = Owner(tenant=tenant, user=asked.author)
        earlier = self.gatherer.pool.submit(self.conversations.turn, tenant, conversation_id, request_key)
        hidden = self.gatherer.pool.submit(self.gate.hidden, tenant)
        gathered = self.gatherer.begin(author, conversation_id, asked.content).finish()
        turn = earlier.result()
        self._admit(author, gathered.conversation, hidden.result())
        if turn is None:
            now = self.clock()
            named = Asked(asked, request, now, promised or TurnIds.new(self.ids, now))
            turn = yield from self._answered(gathered, named, request_key, streaming)
        elif turn.request != request:
            raise InvalidError("this key was used for another message", code="idempotency_mismatch")
        self._tell(gathered.conversation, turn)
        yield Done(turn)

    def context(self, tenant: str, conversation_id: str, message: str, *, author: str | None) -> Context:
        """Return exactly what `message` would send, without sending it."""
        conversation = self.gate.open(tenant, conversation_id, self.conversations)
        owner = Owner(tenant=tenant, user=author or conversation.user_id)
        gathered = self.gatherer.begin(owner, conversation_id, message).finish()
        return assemble(gathered.sources, message, self.clock())

    def _admit(self, author: Owner, conversation: Conversation, hidden: Hidden) -> None:
        """Let a turn go on: nobody's words are read, shown to a model or written while they are being erased."""
        if hidden.covers(author.user) or hidden.covers(conversation.user_id):
            raise erasing()
        shown(conversation, hidden, self.conversations)

    def _answered(
        self,
        gathered: Gathered,
        asked: Asked,
        request_key: str,
        streaming: bool,  # noqa: FBT001 (handed on as it is)
    ) -> Generator[ChatEvent, None, Turn]:
        context = assemble(gathered.sources, asked.message.content, asked.at)
        tenant = gathered.conversation.tenant_id
        toolbox = self.toolbox(acting_of(asked, gathered.conversation, context))
        spoken = yield from Speaking(self.model(tenant), toolbox, self.seconds_left, streaming).turn(context)
        turn = turn_of(asked, gathered.conversation, context, spoken, now=self.clock())
        turn = self.results.keep(gathered.conversation, turn, toolbox.whole)
        trace = trace_of(turn, asked, gathered.sources, context, spoken.first)
        stored = self._store(gathered.conversation, turn, request_key, trace)
        if is_summary_due(gathered.conversation, stored, ratio_of(trace.rate)):
            # What is not taken is due again with the next turn.
            self.announcements().publish([summary_due(gathered.conversation, stored)])
        return stored

    def _store(self, conversation: Conversation, turn: Turn, request_key: str, trace: Trace) -> Turn:
        """Store the turn; where a summary was faster than its answer, as one that was said after it."""
        try:
            self._add(conversation, turn, request_key, trace)
        except ConflictError as error:
            if error.code != "covered":
                raise ConflictError("the same request is being answered right now", code="in_progress") from error
            turn = later(turn, self.ids, self.clock())
            self._add(conversation, turn, request_key, trace.about(turn.user.message_id, turn.assistant.message_id))
        return turn

    def _add(self, conversation: Conversation, turn: Turn, request_key: str, trace: Trace) -> None:
        self.conversations.add(
            conversation.tenant_id, conversation.conversation_id, turn,
            request_key=request_key, title=title_of(turn.user.content), trace=trace,
        )  # fmt: skip

    def _tell(self, conversation: Conversation, turn: Turn) -> None:
        """Tell the bus, again on every repeat of the request: the event's id makes the copies one.

        Of what is not to be remembered the bus, whose archive keeps everything, hears nothing at all.
        """
        if turn.user.remember and self.bus.publish([recorded(conversation, turn)]):
            raise UnavailableError("the turn is stored but not yet learned from; send the same request again")


def check(asked: MessageIn) -> None:
    """Refuse a message that can never be answered; costs no request."""
    if is_blank(asked.content):
        raise InvalidError("content: a message needs visible text")
    if len(asked.content.encode()) > CONTENT_BYTES_MAX:
        raise InvalidError(f"a message takes at most {CONTENT_BYTES_MAX} bytes", code="payload_too_large")
    bounded(asked.content)
