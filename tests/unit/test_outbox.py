"""The outbox.

What is said reaches the client in order and in few frames, and a client that is gone stops nobody.
"""

import threading

from functions.chat.frames import FrameHeader, FrameSender
from tests.fakes.sockets import RecordingSender

HEADING = FrameHeader("r1", "c", "m1")


def outbox(push: RecordingSender, *, heartbeat_seconds: float = 60) -> FrameSender:
    return FrameSender(push, "w", HEADING, heartbeat_seconds=heartbeat_seconds, pause=lambda _: None)


def delta(text: str) -> dict[str, str]:
    return {"type": "delta", "text": text}


def test_frames_are_numbered_and_say_whose_they_are() -> None:
    push = RecordingSender()
    with outbox(push) as out:
        out.send_frames({"type": "tool"}, {"type": "usage"}, {"type": "done"})

    assert [(frame["seq"], frame["type"]) for frame in push.frames("w")] == [
        (0, "tool"),
        (1, "usage"),
        (2, "done"),
    ]
    assert all((frame["request_id"], frame["message_id"]) == ("r1", "m1") for frame in push.frames("w"))


def test_words_said_while_a_frame_is_on_its_way_share_the_next_one() -> None:
    on_its_way, said = threading.Event(), threading.Event()

    class SlowPush(RecordingSender):
        def send_frame(self, connection_id: str, frame: bytes) -> bool:
            on_its_way.set()
            said.wait()
            return super().send_frame(connection_id, frame)

    push = SlowPush()
    with outbox(push) as out:
        out.send_frames(delta("one "))
        on_its_way.wait()
        out.send_frames(*(delta(f"{word} ") for word in ("two", "three", "four")))
        said.set()

    assert [frame["text"] for frame in push.frames("w")] == ["one ", "two three four "]


def test_a_client_that_is_gone_is_sent_nothing_more() -> None:
    push = RecordingSender()
    push.gone.add("w")
    with outbox(push) as out:
        out.send_frames(delta("one"), {"type": "done"})

    assert push.heard["w"] == []


def test_a_frame_that_is_not_taken_closes_the_connection_rather_than_leave_a_hole() -> None:
    push = RecordingSender()
    push.takes = 1
    with outbox(push) as out:
        out.send_frames({"type": "usage"}, {"type": "tool"}, {"type": "done"})

    assert [frame["type"] for frame in push.frames("w")] == ["usage"]
    assert push.gone == {"w"}


def test_a_long_silence_is_filled_with_heartbeats() -> None:
    beaten = threading.Event()

    class Listening(RecordingSender):
        def send_frame(self, connection_id: str, frame: bytes) -> bool:
            taken = super().send_frame(connection_id, frame)
            if b"heartbeat" in frame:
                beaten.set()
            return taken

    push = Listening()
    with outbox(push, heartbeat_seconds=0.001) as out:
        beaten.wait()
        out.send_frames({"type": "done"})

    kinds = [frame["type"] for frame in push.frames("w")]
    assert kinds[0] == "heartbeat"
    assert kinds[-1] == "done"
    assert [frame["seq"] for frame in push.frames("w")] == list(range(len(kinds)))


def test_what_goes_wrong_while_posting_is_not_swallowed() -> None:
    class Broken(RecordingSender):
        def send_frame(self, connection_id: str, frame: bytes) -> bool:
            raise LookupError(connection_id, frame)

    try:
        with outbox(Broken()) as out:
            out.send_frames({"type": "done"})
    except LookupError:
        return
    raise AssertionError("the defect was swallowed")
