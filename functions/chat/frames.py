"""Frames: the messages over a socket to its client, each of a size that fits, the last `done` or `error`."""

import json
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
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
HEARTBEAT_SECONDS = 20
"""Of silence: API Gateway ends an idle connection after ten minutes, proxies before it often after one."""
POST_INTERVAL_SECONDS = 0.05
"""Between posts: words gather meanwhile, and a frame holds a few of them."""

Frame = dict[str, Any]
HEARTBEAT: Frame = {"type": "heartbeat"}
INCOMPLETE: Frame = {
    "type": "error",
    "code": "incomplete",
    "detail": "the answer broke off; what there is of it is kept",
}
PENDING: Frame = {
    "type": "error",
    "code": "pending",
    "detail": "the answer is on its way",
    "retry_after_seconds": 1,
}


@dataclass(frozen=True)
class FrameHeader:
    """What every frame of an answer names, so that a client can ask for the rest of it."""

    request_id: str
    conversation_id: str
    message_id: str


def event_frames(event: ChatEvent) -> Iterator[Frame]:
    """Yield the frames of an event; the end of a turn has its own."""
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
    if _json_bytes(text) > TEXT_BYTES_MAX:
        half = len(text) // 2
        yield from text_frames(text[:half])
        yield from text_frames(text[half:])
    elif text:
        yield {"type": "delta", "text": text}


def final_frame(turn: Turn) -> Frame:
    """Return how a stored turn ends: its content has gone before."""
    if turn.assistant.status == "incomplete":
        return INCOMPLETE
    return {
        "type": "done",
        "message": _message_fields(turn.assistant),
        "usage": turn.usage.model_dump(),
        "context": turn.footprint.model_dump(),
        "stop_reason": turn.stop_reason,
    }


def message_frames(message: Message) -> Iterator[Frame]:
    """Yield a message for a client that comes back to it, or that it is not stored yet."""
    if message.status == "pending":
        yield PENDING
        return
    yield from text_frames(message.content)
    yield (
        INCOMPLETE
        if message.status == "incomplete"
        else {"type": "done", "message": _message_fields(message)}
    )


def error_frame(error: MembusError) -> Frame:
    """Return an error with the words and the stable code that HTTP has for it."""
    frame: Frame = {"type": "error", "code": error.code, "detail": error.detail[:DETAIL_MAX]}
    if isinstance(error, ConflictError):
        frame["retry_after_seconds"] = 1
    if isinstance(error, UnavailableError) and not isinstance(error, BudgetError):
        frame["retry_after_seconds"] = error.retry_after_seconds
    return frame


def merge_deltas(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Join words that follow each other: no client needs a frame for each."""
    text = ""
    for frame in frames:
        if frame["type"] == "delta":
            text += frame["text"]
            continue
        yield from text_frames(text)
        text = ""
        yield frame
    yield from text_frames(text)


def encode_frame(frame: Frame, **heading: object) -> bytes:
    return json.dumps(heading | frame, ensure_ascii=False, separators=(",", ":")).encode()


def _message_fields(message: Message) -> Frame:
    return message.model_dump(mode="json", exclude={"content", "steps"})


def _json_bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


class FrameSender:
    """Frames on their way to one connection; leaving its context sends what is left.

    A thread of its own posts them, so that the turn never waits. A client that is gone is sent nothing more.
    """

    def __init__(
        self,
        sender: SocketSender,
        connection_id: str,
        header: FrameHeader,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sender, self._connection_id, self._header = sender, connection_id, asdict(header)
        self._heartbeat_seconds, self._pause = heartbeat_seconds, pause
        self._queue: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._seq, self._open = 0, True

    def __enter__(self) -> Self:
        self._posting: Future[None] = self._pool.submit(self._post_all)
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._pool.shutdown()
        self._posting.result()

    def send_frames(self, *frames: Frame) -> None:
        for frame in frames:
            self._queue.put(frame)

    def _post_all(self) -> None:
        ended = False
        while not ended:
            taken = self._take_frames()
            ended = None in taken
            for frame in merge_deltas(each for each in taken if each is not None):
                self._post(frame)
            if not ended:
                self._pause(POST_INTERVAL_SECONDS)

    def _take_frames(self) -> list[Frame | None]:
        """Wait for a frame and return all there are, None behind the last; a heartbeat after a silence."""
        try:
            taken = [self._queue.get(timeout=self._heartbeat_seconds)]
        except queue.Empty:
            return [HEARTBEAT]
        while not self._queue.empty():
            taken.append(self._queue.get())
        return taken

    def _post(self, frame: Frame) -> None:
        if not self._open:
            return
        try:
            self._open = self._sender.send_frame(
                self._connection_id, encode_frame(frame, **self._header, seq=self._seq)
            )
        except UnavailableError as refused:
            # A stream with a hole would be read as whole; a closed one is asked for again.
            logger.warning("a frame was not taken, the connection is closed", extra={"why": refused.detail})
            self._open = False
            self._sender.close_connection(self._connection_id)
        self._seq += 1
