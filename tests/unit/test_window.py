"""membus.conversations.window.

Grows at its end, is cut to its half on a covered border, and parts no call from its result.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.conversations.conversation import ConversationCounters, Message, Step, WindowStart
from membus.conversations.summary import SummaryCheckpoint
from membus.conversations.window import (
    WINDOW_KEPT_TOKENS,
    WINDOW_TOKENS,
    fit_window,
    message_tokens,
    plan_window_start,
    render_message,
    to_chat_messages,
)
from membus.llm.prompt import ToolCall, ToolResult
from tests.factories import a_message
from tests.support.contexts import talk
from tests.support.dates_in_prompts import undated


def border(version: int, tokens: int) -> SummaryCheckpoint:
    return SummaryCheckpoint(version=version, until=f"{version:026d}", tokens=tokens, messages=version)


def a_call(result: str, *, number: int = 0) -> Message:
    call = ToolCall(call_id=f"t{number}", name="search_memory", arguments={"query": "x"})
    step = Step(calls=(call,), results=(ToolResult(call_id=f"t{number}", content=result),))
    message = a_message("found it", role="assistant", message_id=f"{number:026d}", steps=(step,))
    return message.model_copy(update={"tokens": message.tokens + step.estimate_tokens()})


@pytest.mark.parametrize(
    ("tokens", "borders", "ratio", "version"),
    [
        (8_000, (2_000, 4_000), 1.0, 0),
        (8_001, (2_000, 4_000, 4_001, 6_000), 1.0, 3),
        (6_700, (1_000, 3_500), 1.2, 2),
        (9_000, (2_000, 3_000), 1.0, 2),
        (9_000, (500,), 1.0, 0),
        (9_000, (), 1.0, 0),
    ],
)
def test_a_full_window_is_cut_to_its_half_on_a_border(
    tokens: int, borders: tuple[int, ...], ratio: float, version: int
) -> None:
    known = tuple(border(number, place) for number, place in enumerate(borders, start=1))

    cut = plan_window_start(ConversationCounters(tokens=tokens, borders=known), ratio=ratio)

    assert (cut.version, cut.uncovered) == (version, False)
    assert cut == (
        WindowStart(version=version, after=known[version - 1].until, tokens=known[version - 1].tokens)
        if version
        else WindowStart()
    )


def test_a_newer_summary_moves_no_window_that_is_not_full() -> None:
    counters = ConversationCounters(
        tokens=7_000,
        borders=(border(1, 1_000), border(2, 5_000)),
        cut=WindowStart(version=1, after="x", tokens=1_000),
    )

    assert plan_window_start(counters, ratio=1.0) == counters.cut


def test_a_window_that_no_summary_covers_is_cut_all_the_same_and_says_so() -> None:
    known = talk(30, words=150)
    counters = ConversationCounters(tokens=sum(map(message_tokens, known)))

    cut, window = fit_window(known, plan_window_start(counters, ratio=1.0), counters, ratio=1.0)

    assert cut.uncovered
    assert window == known[-len(window) :]
    assert window[0].role == "user"
    assert WINDOW_KEPT_TOKENS - 320 < sum(map(message_tokens, window)) <= WINDOW_KEPT_TOKENS
    assert (cut.after, cut.tokens) == (
        known[-len(window) - 1].message_id,
        counters.tokens - sum(map(message_tokens, window)),
    )


def test_an_uncovered_window_moves_on_once_a_summary_has_caught_up() -> None:
    uncovered = WindowStart(after=f"{5:026d}", tokens=5_000, uncovered=True)
    behind, caught_up = border(4, 4_000), border(6, 6_000)

    assert (
        plan_window_start(ConversationCounters(tokens=9_000, borders=(behind,), cut=uncovered), ratio=1.0)
        == uncovered
    )
    healed = plan_window_start(
        ConversationCounters(tokens=9_000, borders=(behind, caught_up), cut=uncovered), ratio=1.0
    )
    assert (healed.version, healed.tokens, healed.uncovered) == (6, 6_000, False)


@given(st.lists(st.integers(1, 3000), max_size=40), st.sampled_from([0.8, 1.0, 2.0]))
def test_a_window_never_outgrows_its_budget_and_has_no_hole(tokens: list[int], ratio: float) -> None:
    known = [
        a_message(role=("user", "assistant")[place % 2], tokens=count, message_id=f"{place:026d}")
        for place, count in enumerate(tokens)
    ]
    counters = ConversationCounters(tokens=sum(map(message_tokens, known)))

    _, window = fit_window(known, plan_window_start(counters, ratio=ratio), counters, ratio=ratio)

    assert sum(map(message_tokens, window)) * ratio <= WINDOW_TOKENS
    assert window == known[len(known) - len(window) :]


def test_results_become_stubs_at_a_cut_but_for_the_newest_three_turns() -> None:
    known: list[Message] = []
    for turn in range(6):
        known += [a_message("q", message_id=f"{2 * turn:026d}"), a_call("word " * 300, number=2 * turn + 1)]
    counters = ConversationCounters(tokens=9_000, borders=(border(0, 5_000),))
    new = WindowStart(version=1, after=None, tokens=5_000)

    cut, window = fit_window(known, new, counters, ratio=1.0)

    stubbed = ["left out" in message.steps[0].results[0].content for message in window if message.steps]
    assert stubbed == [True, True, True, False, False, False]
    assert cut.stubs_until == known[5].message_id
    saved = sum(map(message_tokens, known)) - sum(map(message_tokens, window))
    assert saved > 800
    assert cut.tokens == new.tokens + saved


def with_results(turns: int, *, words: int) -> list[Message]:
    """Return turns that each end in a call of so many words."""
    known: list[Message] = []
    for turn in range(turns):
        known += [a_message("q", message_id=f"{2 * turn:026d}"), a_call("word " * words, number=2 * turn + 1)]
    return known


def test_a_window_full_of_results_that_no_summary_covers_is_left_with_stubs_and_loses_no_turn() -> None:
    known = with_results(12, words=750)
    counters = ConversationCounters(tokens=sum(map(message_tokens, known)))
    assert counters.tokens > WINDOW_TOKENS

    cut, window = fit_window(known, counters.cut, counters, ratio=1.0)

    assert [message.message_id for message in window] == [message.message_id for message in known]
    assert (cut.uncovered, cut.stubs_until) == (False, known[-7].message_id)
    assert counters.tokens - cut.tokens == sum(map(message_tokens, window)) <= WINDOW_KEPT_TOKENS


def test_results_that_become_stubs_at_two_cuts_are_counted_once_each() -> None:
    known = with_results(12, words=750)
    first, window = fit_window(
        known, WindowStart(), ConversationCounters(tokens=sum(map(message_tokens, known))), ratio=1.0
    )
    known += [
        message.model_copy(update={"message_id": f"{int(message.message_id) + 100:026d}"})
        for message in with_results(9, words=750)
    ]
    counters = ConversationCounters(tokens=sum(map(message_tokens, known)), cut=first)

    cut, window = fit_window(known, plan_window_start(counters, ratio=1.0), counters, ratio=1.0)

    assert first.stubs_until < cut.stubs_until  # type: ignore[operator]
    assert counters.tokens - cut.tokens == sum(map(message_tokens, window)) <= WINDOW_KEPT_TOKENS


def test_between_cuts_no_result_changes() -> None:
    known = [a_message("q", message_id="0"), a_call("word " * 300, number=1), *talk(5)]
    counters = ConversationCounters(tokens=500)

    cut, window = fit_window(known, counters.cut, counters, ratio=1.0)

    assert (cut, window) == (counters.cut, known)


def test_a_short_result_is_its_own_stub() -> None:
    call = a_call("42", number=1)

    assert render_message(call, WindowStart(stubs_until="9")) == call


def test_a_call_always_stands_before_its_result() -> None:
    said = to_chat_messages([a_message("q", message_id="0"), a_call("forty-two", number=1)])

    assert [(each.role, len(each.calls), len(each.results), undated(each.text)) for each in said] == [
        ("user", 0, 0, "q"),
        ("assistant", 1, 0, ""),
        ("user", 0, 1, ""),
        ("assistant", 0, 0, "found it"),
    ]
    assert said[1].calls[0].call_id == said[2].results[0].call_id
