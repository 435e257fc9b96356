"""membus.conversations.window: due by tokens or turns, whole turns only, and never the newest."""

import pytest

from membus.conversations.conversation import Message
from membus.conversations.summary import Chapter
from membus.conversations.window import (
    DUE_TOKENS,
    ROLLUP_CHAPTERS,
    SEGMENT_TOKENS,
    TURN_TOKENS,
    WINDOW_KEPT_TOKENS,
    message_tokens,
    needs_summary,
    next_segment,
    select_rollup,
)
from tests.factories import a_message


def talk(turns: int, *, tokens: int = 10, roles: tuple[str, ...] = ("user", "assistant")) -> list[Message]:
    return [
        a_message(role=role, tokens=tokens, message_id=f"{place:026d}")
        for place, role in enumerate(roles * turns)
    ]


@pytest.mark.parametrize(
    ("tokens", "messages", "due"),
    [
        (DUE_TOKENS - TURN_TOKENS, 2, False),
        (DUE_TOKENS - TURN_TOKENS + 1, 2, True),
        (10, 39, False),
        (10, 40, True),
    ],
)
def test_a_summary_is_due_by_tokens_or_by_turns(tokens: int, messages: int, due: bool) -> None:  # noqa: FBT001
    assert needs_summary(tokens=tokens, messages=messages) is due


def test_short_turns_are_covered_up_to_the_newest() -> None:
    messages = talk(20)

    assert next_segment(messages) == messages[:-2]


@pytest.mark.parametrize(
    ("turns", "tokens", "kept"), [(16, 246, WINDOW_KEPT_TOKENS), (8, 496, 3_000), (4, 996, 2_000)]
)
def test_many_tokens_leave_the_half_of_a_window_and_less_where_it_would_not_last_five_turns(
    turns: int, tokens: int, kept: int
) -> None:
    messages = talk(turns, tokens=tokens)

    left = messages[len(next_segment(messages)) :]
    assert sum(map(message_tokens, left)) == kept


def test_the_newest_turn_is_never_covered_however_long() -> None:
    messages = [*talk(1, tokens=3000), *talk(1, tokens=9000)]

    assert next_segment(messages) == messages[:2]
    assert next_segment(messages[2:]) == []


def test_a_question_without_its_answer_is_not_covered() -> None:
    messages = talk(20)[:-1]

    assert next_segment(messages) == messages[:-1]


def test_turns_of_two_devices_that_cross_are_not_torn() -> None:
    messages = talk(6, tokens=800, roles=("user", "user", "assistant", "assistant"))

    assert len(next_segment(messages)) % 4 == 0


def test_what_has_piled_up_is_told_in_parts() -> None:
    messages = talk(100, tokens=496)

    assert sum(map(message_tokens, next_segment(messages))) == SEGMENT_TOKENS


def test_chapters_of_one_level_become_one_when_there_are_four() -> None:
    def chapters(*levels: int) -> list[Chapter]:
        return [
            Chapter(level=level, first=f"{n:03}a", last=f"{n:03}b", text="x")
            for n, level in enumerate(levels)
        ]

    assert list(select_rollup(chapters(1, 1, 1, 0, 0, 0))) == []
    four = chapters(1, 0, 0, 0, 0)
    assert list(select_rollup(four)) == four[1:] and len(four[1:]) == ROLLUP_CHAPTERS  # noqa: PT018 (one thing: which four)
    assert list(select_rollup(chapters(1, 1, 1, 1))) == chapters(1, 1, 1, 1)
