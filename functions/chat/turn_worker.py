"""A turn in an invocation of its own: the core's events become frames.

The answer is stored, whoever still listens.

A turn over HTTP: worked on in an invocation of its own, and waited for as long as a request may wait.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any
from uuid import uuid4

from pydantic import AwareDatetime

from functions.chat import frames
from functions.chat.frames import FrameHeader, FrameSender
from functions.chat.schemas import MessageIn, ensure_same_message
from functions.chat.turn import ChatEvent, ChatService, TurnEnd, TurnResumption
from functions.chat.turn_records import TurnIds
from membus.conversations.conversation import Turn
from membus.conversations.ports import ConversationStore, ReplyJobStore, SocketSender, TurnQueue
from membus.conversations.reply_jobs import ReplyFailure, ReplyJob, StepProgress
from membus.core.clock import Clock
from membus.core.errors import BudgetError, ConflictError, MembusError, UnavailableError
from membus.core.identity import Id, Record
from membus.core.text.normalization import is_blank
from membus.llm.prompt import TextDelta, ToolCall
from membus.observability import logger


class TurnJob(Record):
    """All that a turn needs to be worked on elsewhere; tenant and rights are the credential's.

    Somebody hears of it over a connection, or waits for it over HTTP until `waited_until`.
    """

    tenant: Id
    conversation_id: Id
    message: MessageIn
    request_id: str
    ids: TurnIds
    connection_id: str | None = None
    waited_until: AwareDatetime | None = None
    whole_tenant: bool = False

    def to_payload(self) -> Mapping[str, Any]:
        return self.model_dump(mode="json")


def start_turn_job(turn: TurnJob, pending: ReplyJobStore, turns: TurnQueue, now: datetime) -> ReplyJob:
    """Have the turn worked on, unless its request already is; return the reply that is on its way.

    Raises:
        InvalidError: `idempotency_mismatch`, the request's key is in use for another message.
        NotFoundError: the conversation is gone.
        UnavailableError: the work is not taken; nothing is promised then.
    """
    mine = ReplyJob.for_request(turn.ids.reply, turn.message.fingerprint, now)
    first = pending.create_job(turn.tenant, turn.conversation_id, mine, request_key=turn.request_id)
    if first == mine:
        try:
            turns.enqueue_turn(turn.to_payload())
        except UnavailableError as refused:
            pending.finish_job(
                turn.tenant,
                turn.conversation_id,
                request_key=turn.request_id,
                failed=ReplyFailure.from_error(refused),
            )
            raise
    ensure_same_message(first.request, turn.message)
    return first


@dataclass(frozen=True)
class TurnWorker:
    """`seconds_left` is what is left of the invocation: for so long nobody else works on its turn."""

    chat: ChatService
    push: SocketSender
    pending: ReplyJobStore
    seconds_left: Callable[[], float]

    def run(self, turn: TurnJob) -> None:
        """Work on a promised turn, unless somebody does: Lambda may deliver it twice.

        Raises:
            UnavailableError: what time may heal, `in_progress` too; Lambda tries the turn again, twice, and
                it goes
                on from what its tools have given.
        """
        try:
            promise = self._taken(turn)
        except MembusError as raised:
            if turn.connection_id is None or raised.code == "in_progress":
                raise
            with self._outbox(turn, turn.connection_id) as outbox:
                self._give_up(turn, outbox, raised)
            return
        if turn.connection_id is None:
            self._work(turn, promise)
        else:
            self._stream(turn, turn.connection_id, promise)

    def _outbox(self, turn: TurnJob, connection_id: str) -> FrameSender:
        return FrameSender(
            self.push, connection_id, FrameHeader(turn.request_id, turn.conversation_id, turn.ids.reply)
        )

    def _taken(self, turn: TurnJob) -> TurnResumption:
        where, until = (
            (turn.tenant, turn.conversation_id),
            self.chat.clock() + timedelta(seconds=self.seconds_left()),
        )
        digest = self.pending.acquire_lease(
            *where, request_key=turn.request_id, worker=uuid4().hex, until=until
        )
        before = self.pending.get_progress(*where, digest, request_key=turn.request_id) if digest else None

        def keep(progress: StepProgress) -> None:
            try:
                self.pending.save_progress(*where, progress, request_key=turn.request_id)
            except UnavailableError as error:
                logger.warning("what tools gave is not kept, the turn goes on", extra={"code": error.code})

        return TurnResumption(turn.ids, before, keep)

    def _work(self, turn: TurnJob, promise: TurnResumption) -> None:
        """Answer for who waits over HTTP. Once nobody waits any more, what time may heal is tried again."""
        try:
            for event in self._events(turn, promise, streaming=False):
                if isinstance(event, TurnEnd):
                    self._end(turn, event.turn)
        except MembusError as raised:
            passing = isinstance(raised, UnavailableError | ConflictError) and not isinstance(
                raised, BudgetError
            )
            if passing and (turn.waited_until is None or self.chat.clock() >= turn.waited_until):
                self.pending.release_lease(turn.tenant, turn.conversation_id, request_key=turn.request_id)
                raise
            logger.warning("a promised reply is given up", extra={"code": raised.code})
            self._end(turn, failed=raised)
        except Exception:  # noqa: BLE001 - the edge: whatever it is, who waits hears of it
            logger.exception("a defect reached the edge")
            self._end(turn, failed=MembusError("something went wrong on our side"))

    def _stream(self, turn: TurnJob, connection_id: str, promise: TurnResumption) -> None:
        """Answer over a connection, whatever happens with `done` or `error` as the last frame."""
        with self._outbox(turn, connection_id) as outbox:
            try:
                self._speak(turn, promise, outbox)
            except MembusError as raised:
                self._give_up(turn, outbox, raised)
            except Exception:  # noqa: BLE001 - the edge: whatever it is, the client hears of it
                logger.exception("a defect reached the edge")
                self._give_up(turn, outbox, MembusError("something went wrong on our side"))

    def _give_up(self, turn: TurnJob, outbox: FrameSender, why: MembusError) -> None:
        """Take the promise back and say why.

        What broke the turn may keep the promise from being written, too.
        """
        try:
            self._end(turn, failed=why)
        except UnavailableError as error:
            logger.warning("a promise was not taken back, it ends by itself", extra={"code": error.code})
        outbox.send_frames(frames.error_frame(why))

    def _events(self, turn: TurnJob, promise: TurnResumption, *, streaming: bool) -> Iterator[ChatEvent]:
        return self.chat.stream_events(
            turn.tenant,
            turn.conversation_id,
            turn.message,
            request_key=turn.request_id,
            streaming=streaming,
            promised=promise,
        )

    def _end(self, turn: TurnJob, answered: Turn | None = None, *, failed: MembusError | None = None) -> None:
        self.pending.finish_job(
            turn.tenant,
            turn.conversation_id,
            request_key=turn.request_id,
            became=answered.assistant.message_id if answered else None,
            failed=ReplyFailure.from_error(failed) if failed else None,
        )

    def _speak(self, turn: TurnJob, promise: TurnResumption, outbox: FrameSender) -> None:
        told = ""
        for event in self._events(turn, promise, streaming=True):
            if isinstance(event, TurnEnd):
                self._end(turn, event.turn)
                if is_blank(told):  # it was answered before, or not in words that anybody streams
                    outbox.send_frames(*frames.text_frames(event.turn.assistant.content))
                outbox.send_frames(frames.final_frame(event.turn))
            elif isinstance(event, TextDelta):
                told += event.text
            elif isinstance(event, ToolCall):
                told = ""
            outbox.send_frames(*(() if isinstance(event, TurnEnd) else frames.event_frames(event)))


POLL_SECONDS = (0.05, 0.05, 0.1, 0.1, 0.15, 0.2)
POLL_SECONDS_MAX = 0.25
"""Seconds between two looks at a promise; a look is one read unit, an answer takes seconds."""


@dataclass(frozen=True)
class ReplyWaiter:
    """Whoever waits asks no model.

    However late an answer is, it is asked for once, and the request may be repeated.
    """

    conversations: ConversationStore
    pending: ReplyJobStore
    turns: TurnQueue
    clock: Clock
    pause: Callable[[float], None]
    elapsed: Callable[[], float]

    def wait_for_reply(self, turn: TurnJob, *, seconds: float) -> Turn | ReplyJob:
        """Have the turn worked on and return it, or the promise of its reply where that takes longer.

        Raises:
            MembusError: as `promise`, and what the work was given up for.
        """
        patient = turn.model_copy(update={"waited_until": self.clock() + timedelta(seconds=seconds)})
        first = start_turn_job(patient, self.pending, self.turns, self.clock())
        for wait in self._pauses(seconds):
            known = self.pending.find_by_request(
                turn.tenant, turn.conversation_id, request_key=turn.request_id
            )
            if known and known.failed:
                raise known.failed.to_error()
            if known and known.became:
                return self._stored(turn) or first
            self.pause(wait)
        return first

    def _stored(self, turn: TurnJob) -> Turn | None:
        stored = self.conversations.find_turn(turn.tenant, turn.conversation_id, turn.request_id)
        if stored:
            ensure_same_message(stored.request, turn.message)
        return stored

    def _pauses(self, seconds: float) -> Iterator[float]:
        """Yield pauses until so much time has passed, with the looks in between."""
        begun, paused = self.elapsed(), 0.0
        for pause in chain(POLL_SECONDS, repeat(POLL_SECONDS_MAX)):
            yield pause
            paused += pause
            if max(paused, self.elapsed() - begun) >= seconds:
                return
