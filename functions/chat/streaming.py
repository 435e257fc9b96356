"""A turn in an invocation of its own: the core's events become frames; the answer is stored, whoever still listens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.chat import frames
from functions.chat.api import MessageIn
from functions.chat.frames import Heading
from functions.chat.outbox import Outbox
from functions.chat.turns import TurnIds
from functions.chat.usecase import Chat, ChatEvent, Done
from membus.domain.conversation import Turn
from membus.domain.identity import Id, Record
from membus.domain.pending import PendingReply
from membus.domain.prompt import TextDelta, ToolCall
from membus.domain.visible import is_blank
from membus.errors import BudgetError, ConflictError, MembusError, UnavailableError
from membus.observability import logger
from membus.ports.connections import Push
from membus.ports.pending import PendingReplies
from membus.ports.turns import BackgroundTurns


class LongTurn(Record):
    """All that a turn needs to be worked on elsewhere; tenant and rights are the credential's."""

    tenant: Id
    conversation_id: Id
    message: MessageIn
    request_id: str
    ids: TurnIds
    connection_id: str | None = None
    whole_tenant: bool = False

    def event(self) -> Mapping[str, Any]:
        return self.model_dump(mode="json")


def promise(turn: LongTurn, pending: PendingReplies, turns: BackgroundTurns, now: datetime) -> PendingReply:
    """Have the turn worked on, unless its request already is; return the reply that is on its way.

    Raises:
        NotFoundError: the conversation is gone.
        UnavailableError: the work is not taken; nothing is promised then.
    """
    mine = PendingReply.begun(turn.ids.reply, now)
    first = pending.begin(turn.tenant, turn.conversation_id, mine, request_key=turn.request_id)
    if first == mine:
        try:
            turns.begin(turn.event())
        except UnavailableError:
            pending.end(turn.tenant, turn.conversation_id, request_key=turn.request_id)
            raise
    return first


@dataclass(frozen=True)
class Streaming:
    chat: Chat
    push: Push
    pending: PendingReplies

    def run(self, turn: LongTurn) -> None:
        if turn.connection_id is None:
            self._work(turn)
        else:
            self._stream(turn, turn.connection_id)

    def _work(self, turn: LongTurn) -> None:
        """Answer with nobody listening. What time may heal is raised: Lambda tries the turn again, twice."""
        try:
            for event in self._events(turn, streaming=False):
                if isinstance(event, Done):
                    self._end(turn, event.turn)
        except MembusError as raised:
            if isinstance(raised, UnavailableError | ConflictError) and not isinstance(raised, BudgetError):
                raise
            logger.warning("a promised reply is given up", extra={"code": raised.code})
            self._end(turn)

    def _stream(self, turn: LongTurn, connection_id: str) -> None:
        """Answer over a connection, whatever happens with `done` or `error` as the last frame."""
        heading = Heading(turn.request_id, turn.conversation_id, turn.ids.reply)
        with Outbox(self.push, connection_id, heading) as outbox:
            try:
                self._speak(turn, outbox)
            except MembusError as raised:
                self._give_up(turn, outbox, raised)
            except Exception:  # noqa: BLE001 - the edge: whatever it is, the client hears of it
                logger.exception("a defect reached the edge")
                self._give_up(turn, outbox, MembusError("something went wrong on our side"))

    def _give_up(self, turn: LongTurn, outbox: Outbox, why: MembusError) -> None:
        """Take the promise back and say why; what broke the turn may keep the promise from being written, too."""
        try:
            self._end(turn)
        except UnavailableError as error:
            logger.warning("a promise was not taken back, it ends by itself", extra={"code": error.code})
        outbox.say(frames.error(why))

    def _events(self, turn: LongTurn, *, streaming: bool) -> Iterator[ChatEvent]:
        return self.chat.events(
            turn.tenant, turn.conversation_id, turn.message, request_key=turn.request_id, streaming=streaming,
            promised=turn.ids,
        )  # fmt: skip

    def _end(self, turn: LongTurn, answered: Turn | None = None) -> None:
        became = answered.assistant.message_id if answered else None
        self.pending.end(turn.tenant, turn.conversation_id, request_key=turn.request_id, became=became)

    def _speak(self, turn: LongTurn, outbox: Outbox) -> None:
        told = ""
        for event in self._events(turn, streaming=True):
            if isinstance(event, Done):
                self._end(turn, event.turn)
                if is_blank(told):  # it was answered before, or not in words that anybody streams
                    outbox.say(*frames.deltas(event.turn.assistant.content))
                outbox.say(frames.last_of(event.turn))
            elif isinstance(event, TextDelta):
                told += event.text
            elif isinstance(event, ToolCall):
                told = ""
            outbox.say(*(() if isinstance(event, Done) else frames.frames_of(event)))
