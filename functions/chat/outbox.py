"""Frames on their way to one connection.

A thread of its own posts them, so that who speaks never waits for it.
"""

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from types import TracebackType
from typing import Self

from functions.chat.frames import HEARTBEAT, Frame, FrameHeader, encode_frame, merge_deltas
from membus.errors import UnavailableError
from membus.observability import logger
from membus.ports.connections import SocketSender

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

    def say(self, *frames: Frame) -> None:
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
            self._open = self._push.post(
                self._connection_id, encode_frame(frame, **asdict(self._heading), seq=self._seq)
            )
        except UnavailableError as refused:
            # A stream with a hole would be read as whole; a closed one is asked for again.
            logger.warning("a frame was not taken, the connection is closed", extra={"why": refused.detail})
            self._open = False
            self._push.hang_up(self._connection_id)
        self._seq += 1
