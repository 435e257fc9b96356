"""A turn in an invocation of its own: streamed to its connection, or stored for who asks for it later."""

from dataclasses import dataclass

from functions.chat import frames
from functions.chat.frames import FrameHeader, FrameSender
from functions.chat.turn import ChatService, InProgressError, TurnEnd, is_passing
from functions.chat.turn_records import TurnJob
from membus.conversations.ports import SocketSender
from membus.core.errors import MembusError
from membus.core.text.normalization import is_blank
from membus.llm.prompt import TextDelta, ToolCall
from membus.observability import logger


@dataclass(frozen=True)
class TurnWorker:
    chat: ChatService
    sender: SocketSender

    def run(self, job: TurnJob) -> None:
        """Work on a turn, unless another worker does: Lambda may deliver it twice.

        Raises:
            InProgressError: another worker does; Lambda tries again, twice.
            UnavailableError, ConflictError: no client listens, and time may heal it. Lambda tries again, and
                the turn goes on behind its kept steps.
        """
        if job.connection_id is None:
            self._answer(job)
            return
        header = FrameHeader(job.request_key, job.conversation_id, job.reply_id)
        with FrameSender(self.sender, job.connection_id, header) as outbox:
            self._stream(job, outbox)

    def _answer(self, job: TurnJob) -> None:
        try:
            self.chat.answer(job)
        except InProgressError:
            raise
        except MembusError as error:
            if is_passing(error):
                self.chat.release_job(job)
                raise
            logger.warning("a reply in the background is given up", extra={"code": error.code})
            self.chat.end_job(job)
        except Exception:  # noqa: BLE001 - another try would meet the same defect
            logger.exception("a defect reached the edge")
            self.chat.end_job(job)

    def _stream(self, job: TurnJob, outbox: FrameSender) -> None:
        """Send frames, whatever happens with `done` or `error` as the last one."""
        try:
            self._send_events(job, outbox)
        except InProgressError:
            raise
        except MembusError as error:
            self._give_up(job, outbox, error)
        except Exception:  # noqa: BLE001 - the edge: whatever it is, the client hears of it
            logger.exception("a defect reached the edge")
            self._give_up(job, outbox, MembusError("something went wrong on our side"))

    def _give_up(self, job: TurnJob, outbox: FrameSender, error: MembusError) -> None:
        self.chat.end_job(job)
        outbox.send_frames(frames.error_frame(error))

    def _send_events(self, job: TurnJob, outbox: FrameSender) -> None:
        text = ""
        for event in self.chat.run_turn(job, streaming=True):
            if isinstance(event, TurnEnd):
                if is_blank(text):  # it was answered before, or not in words that anybody streams
                    outbox.send_frames(*frames.text_frames(event.turn.assistant.content))
                outbox.send_frames(frames.final_frame(event.turn))
                return
            if isinstance(event, TextDelta):
                text += event.text
            elif isinstance(event, ToolCall):
                text = ""
            outbox.send_frames(*frames.event_frames(event))
