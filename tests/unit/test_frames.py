"""Frames: whatever an answer is made of, each piece fits, and together they are the answer."""

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from functions.chat.frames import (
    TEXT_BYTES_MAX,
    Frame,
    encode_frame,
    error_frame,
    event_frames,
    merge_deltas,
    text_frames,
)
from membus.core.errors import BudgetError, ConflictError, InvalidError, UnavailableError
from membus.core.tokens import TokenUsage
from membus.llm.prompt import TextDelta, ToolCall

if TYPE_CHECKING:
    from functions.chat.turn import ChatEvent

FRAME_BYTES_MAX = 128 * 1024
LONGEST = {"request_id": "\x00" * 255, "conversation_id": "ä" * 128, "message_id": "m" * 26, "seq": 10**6}


def text_of(frames: list[Frame]) -> str:
    return "".join(frame["text"] for frame in frames)


@given(
    piece=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    times=st.integers(1, 20_000),
)
def test_a_text_of_any_length_and_script_comes_in_frames_that_fit(piece: str, times: int) -> None:
    frames = list(text_frames(piece * times))

    assert text_of(frames) == piece * times
    assert all(len(encode_frame(frame, **LONGEST)) <= FRAME_BYTES_MAX for frame in frames)


def test_what_escapes_to_six_times_its_size_still_fits() -> None:
    frames = list(text_frames("\x00" * TEXT_BYTES_MAX))

    assert len(frames) > 6
    assert max(len(encode_frame(frame, **LONGEST)) for frame in frames) <= FRAME_BYTES_MAX


def test_no_text_is_no_frame() -> None:
    assert list(event_frames(TextDelta(text=""))) == []


def test_words_that_follow_each_other_are_one_frame_and_keep_their_place() -> None:
    usage = TokenUsage(input=1, output=2)
    said: list[ChatEvent] = [
        TextDelta(text="Let "),
        TextDelta(text="me see"),
        ToolCall(call_id="c", name="t", arguments={}),
        usage,
    ]
    said += [TextDelta(text="In "), TextDelta(text="Lisbon.")]

    frames = list(merge_deltas(frame for event in said for frame in event_frames(event)))

    assert [frame["type"] for frame in frames] == ["delta", "tool", "usage", "delta"]
    assert [frame["text"] for frame in frames if "text" in frame] == ["Let me see", "In Lisbon."]


def test_a_tools_arguments_that_do_not_fit_are_left_out() -> None:
    (frame,) = event_frames(ToolCall(call_id="c", name="remember", arguments={"text": "x" * FRAME_BYTES_MAX}))

    assert (frame["name"], frame["arguments"]) == ("remember", None)


def test_an_error_has_the_code_it_has_everywhere_and_fits() -> None:
    assert error_frame(InvalidError("x" * FRAME_BYTES_MAX, code="invalid_json"))["code"] == "invalid_json"
    assert len(encode_frame(error_frame(InvalidError("x" * FRAME_BYTES_MAX)), **LONGEST)) < FRAME_BYTES_MAX


def test_an_error_says_when_another_try_is_worth_it() -> None:
    assert error_frame(UnavailableError("down", retry_after_seconds=7))["retry_after_seconds"] == 7
    assert error_frame(ConflictError("in progress"))["retry_after_seconds"] == 1
    assert "retry_after_seconds" not in error_frame(BudgetError("spent"))
    assert "retry_after_seconds" not in error_frame(InvalidError("never"))


def test_letters_are_written_as_themselves() -> None:
    frame = encode_frame({"type": "delta", "text": "海港"}, seq=0)

    assert "海港" in frame.decode()
    assert json.loads(frame) == {"seq": 0, "type": "delta", "text": "海港"}
