"""Chat over the WebSocket. Made by `make_sync.py`."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from membus_client._errors import APIConnectionError, MembusError, status_error
from membus_client._models import ChatPiece
from membus_client._transport import Settings

CONNECTIONS_MAX = 5
PAUSE_SECONDS = 1.0
COME_BACK = frozenset({"in_progress", "pending"})
"""Codes of an answer that is under way, over this connection or another."""
FRAME_STATUS = 400
"""The status of an error in a frame, which has a code alone."""


def stream_answer(settings: Settings, asked: Mapping[str, Any]) -> Iterator[ChatPiece]:
    """Yield the pieces of an answer.

    Where the connection breaks the message is sent again under its `request_id`: the model is not asked twice.

    Raises:
        APIStatusError: the answer ended with an error; the code is one of docs/websocket.md.
        APIConnectionError: the socket cannot be reached, or broke too often.
    """
    if not settings.socket_url:
        raise MembusError("name the WebSocket's address: Membus(socket_url=…), or set MEMBUS_WS_URL")
    for _ in range(CONNECTIONS_MAX):
        try:
            with connect(settings.socket_url, additional_headers=settings.headers) as socket:
                socket.send(json.dumps(asked))
                for frame in _answer_frames(socket):
                    if frame["type"] == "done":
                        return
                    yield ChatPiece(
                        text=frame["text"], begins=frame["seq"] == 0, message_id=frame["message_id"]
                    )
        except InvalidStatus as refused:
            problem = {"code": "unauthorized", "detail": "the socket refuses the key"}
            raise status_error(refused.response.status_code, problem, None) from refused
        except (ConnectionClosed, OSError):
            pass  # the turn goes on without us
        time.sleep(PAUSE_SECONDS)
    raise APIConnectionError(f"{settings.socket_url} broke off {CONNECTIONS_MAX} times")


def _answer_frames(socket: ClientConnection) -> Iterator[dict[str, Any]]:
    """Yield the `delta` frames of an answer and its `done`; nothing more where it comes another way."""
    for text in socket:
        frame = json.loads(text)
        if frame["type"] == "error" and frame["code"] in COME_BACK:
            return
        if frame["type"] == "error":
            raise status_error(FRAME_STATUS, frame, frame.get("retry_after_seconds"))
        if frame["type"] in {"delta", "done"}:
            yield frame
