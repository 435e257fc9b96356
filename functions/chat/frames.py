"""What goes over a socket to its client: frames that each fit, numbered, the last one `done` or `error`.

Frames on their way to one connection.

A thread of its own posts them, so that who speaks never waits for it.
"""

import json
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

from functions.chat.turn import ChatEvent
from membus.conversations.conversation import Message, Turn
from membus.conversations.ports import SocketSender
from membus.core.errors import BudgetError, ConflictError, MembusError, UnavailableError
from membus.core.tokens import TokenUsage
from membus.llm.prompt import TextDelta, ToolCall, ToolResult
from membus.observability import logger

TEXT_BYTES_MAX = 96_000
"""As JSON. A frame takes 128 KB, and names ids of at most 10,000 bytes beside its text."""
DETAIL_MAX = 1_000
Frame = dict[str, Any]
HEARTBEAT: Frame = {"type": "heartbeat"}


@dataclass(frozen=True)
class FrameHeader:
    """What every frame of an answer names, so that a client can ask for the rest of it."""

    request_id: str
    conversation_id: str
    message_id: str


def event_frames(event: ChatEvent) -> Iterator[Frame]:
    """Yield the frames of an event of the core's; the end of a turn has its own."""
    if isinstance(event, TextDelta):
        yield from text_frames(event.text)
    elif isinstance(event, ToolCall):
        arguments = event.arguments if _json_bytes(event.arguments) <= TEXT_BYTES_MAX else None
        yield {"type": "tool", "call_id": event.call_id, "name": event.name, "arguments": arguments}
    elif isinstance(event, ToolResult):
        yield {"type": "tool", "call_id": event.call_id, "failed": event.failed}
    elif isinstance(event, TokenUsage):
        yield {"type": "usage", "usage": event.model_dump()}


def text_frames(text: str) -> Iterator[Frame]:
    """Yield a text in pieces that fit; put together they are the text again."""
    if _json_bytes(text) <= TEXT_BYTES_MAX:
        if text:
            yield {"type": "delta", "text": text}
        return
    half = len(text) // 2
    yield from text_frames(text[:half])
    yield from text_frames(text[half:])


def final_frame(turn: Turn) -> Frame:
    """Return how a stored turn ends: its content has gone before."""
    if turn.assistant.status == "incomplete":
        return incomplete_frame()
    return {
        "type": "done",
        "message": _message_fields(turn.assistant),
        "usage": turn.usage.model_dump(),
        "context": turn.footprint.model_dump(),
        "stop_reason": turn.stop_reason,
    }


def message_frames(message: Message) -> Iterator[Frame]:
    """Yield a stored message, for who comes back to it; of one that is not there yet, that it is not."""
    if message.status == "pending":
        yield {
            "type": "error",
            "code": "pending",
            "detail": "the answer is on its way",
            "retry_after_seconds": 1,
        }
        return
    yield from text_frames(message.content)
    yield (
        incomplete_frame()
        if message.status == "incomplete"
        else {"type": "done", "message": _message_fields(message)}
    )


def incomplete_frame() -> Frame:
    return {
        "type": "error",
        "code": "incomplete",
        "detail": "the answer broke off; what there is of it is kept",
    }


def error_frame(raised: MembusError) -> Frame:
    """Return an error in the words and with the stable code that HTTP has for it."""
    frame: Frame = {"type": "error", "code": raised.code, "detail": raised.detail[:DETAIL_MAX]}
    if isinstance(raised, ConflictError):
        frame["retry_after_seconds"] = 1
    if isinstance(raised, UnavailableError) and not isinstance(raised, BudgetError):
        frame["retry_after_seconds"] = raised.retry_after_seconds
    return frame


def merge_deltas(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Join words that follow each other: no client needs a frame for each."""
    waiting = ""
    for frame in frames:
        if frame["type"] == "delta":
            waiting += frame["text"]
            continue
        yield from text_frames(waiting)
        waiting = ""
        yield frame
    yield from text_frames(waiting)


def encode_frame(frame: Frame, **heading: object) -> bytes:
    return json.dumps(heading | frame, ensure_ascii=False, separators=(",", ":")).encode()


def _message_fields(message: Message) -> Frame:
    return message.model_dump(mode="json", exclude={"content", "steps"})


def _json_bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


HEARTBEAT_SECONDS = 20
"""Of silence.

API Gateway ends an idle connection after ten minutes, and what lies before it often after one.
"""
POST_INTERVAL_SECONDS = 0.05
"""Between posts: words gather meanwhile, and a frame holds a few of them."""
END: Frame = {"type": "end"}


class FrameSender:
    """A context: leaving it sends what is left.

    A client that is gone is sent nothing more, and nobody is disturbed.
    """

    def __init__(
        self,
        push: SocketSender,
        connection_id: str,
        heading: FrameHeader,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._push, self._connection_id, self._heading = push, connection_id, heading
        self._heartbeat_seconds, self._pause = heartbeat_seconds, pause
        self._waiting: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._hands = ThreadPoolExecutor(max_workers=1)
        self._seq, self._open = 0, True

    def __enter__(self) -> Self:
        self._posting: Future[None] = self._hands.submit(self._post_all)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        self._waiting.put(END)
        self._hands.shutdown()
        self._posting.result()

    def send_frames(self, *frames: Frame) -> None:
        for frame in frames:
            self._waiting.put(frame)

    def _post_all(self) -> None:
        ending = False
        while not ending:
            taken = self._taken()
            ending = END in taken
            for frame in merge_deltas(each for each in taken if each is not END):
                self._post(frame)
            if not ending:
                self._pause(POST_INTERVAL_SECONDS)

    def _taken(self) -> list[Frame]:
        """Wait for something to say, and take all there is; after a long silence that is a heartbeat."""
        try:
            taken = [self._waiting.get(timeout=self._heartbeat_seconds)]
        except queue.Empty:
            return [HEARTBEAT]
        while not self._waiting.empty():
            taken.append(self._waiting.get())
        return taken

    def _post(self, frame: Frame) -> None:
        if not self._open:
            return
        try:
            self._open = self._push.send_frame(
                self._connection_id, encode_frame(frame, **asdict(self._heading), seq=self._seq)
            )
        except UnavailableError as refused:
            # A stream with a hole would be read as whole; a closed one is asked for again.
            logger.warning("a frame was not taken, the connection is closed", extra={"why": refused.detail})
            self._open = False
            self._push.close_connection(self._connection_id)
        self._seq += 1
