"""A turn in an invocation of its own: the core's events become frames; the answer is stored, whoever still listens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.chat import frames
from functions.chat.api import MessageIn
from functions.chat.frames import Heading
from functions.chat.outbox import Outbox
from functions.chat.turns import TurnIds
from functions.chat.usecase import Chat, Done
from membus.domain.identity import Id, Record
from membus.domain.prompt import TextDelta, ToolCall
from membus.domain.visible import is_blank
from membus.errors import MembusError
from membus.observability import logger
from membus.ports.connections import Push


class LongTurn(Record):
    """All that a turn needs to be worked on elsewhere; the tenant is the credential's."""

    tenant: Id
    conversation_id: Id
    message: MessageIn
    request_id: str
    ids: TurnIds
    connection_id: str

    def event(self) -> Mapping[str, Any]:
        return self.model_dump(mode="json")


@dataclass(frozen=True)
class Streaming:
    chat: Chat
    push: Push

    def run(self, turn: LongTurn) -> None:
        """Answer over the turn's connection, whatever happens with `done` or `error` as the last frame."""
        heading = Heading(turn.request_id, turn.conversation_id, turn.ids.reply)
        with Outbox(self.push, turn.connection_id, heading) as outbox:
            try:
                self._speak(turn, outbox)
            except MembusError as raised:
                outbox.say(frames.error(raised))
            except Exception:  # noqa: BLE001 - the edge: whatever it is, the client hears of it
                logger.exception("a defect reached the edge")
                outbox.say(frames.error(MembusError("something went wrong on our side")))

    def _speak(self, turn: LongTurn, outbox: Outbox) -> None:
        told = ""
        events = self.chat.events(
            turn.tenant, turn.conversation_id, turn.message, request_key=turn.request_id, streaming=True,
            promised=turn.ids,
        )  # fmt: skip
        for event in events:
            if isinstance(event, Done):
                if is_blank(told):  # it was answered before, or not in words that anybody streams
                    outbox.say(*frames.deltas(event.turn.assistant.content))
                outbox.say(frames.last_of(event.turn))
            elif isinstance(event, TextDelta):
                told += event.text
            elif isinstance(event, ToolCall):
                told = ""
            outbox.say(*(() if isinstance(event, Done) else frames.frames_of(event)))
