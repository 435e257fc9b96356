"""membus.conversations.conversation: who may write, what a conversation is called, and ids that only rise."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from membus.conversations.conversation import TITLE_MAX, MessageIdGenerator, make_title
from membus.core.clock import epoch_ms
from membus.core.errors import ForbiddenError
from tests.factories import NOON, a_conversation


@pytest.mark.parametrize("author", ["ada", "bob"])
def test_the_owner_and_the_members_write(author: str) -> None:
    a_conversation(members=("bob",)).require_member(author)


@pytest.mark.parametrize("author", ["eve", "ad", "adab", ""])
def test_nobody_else_writes(author: str) -> None:
    with pytest.raises(ForbiddenError) as refused:
        a_conversation(members=("bob",)).require_member(author)

    assert refused.value.code == "not_a_member"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("hi", "hi"),
        (" a \n b ", "a b"),
        ("word " * 30, " ".join(["word"] * 15) + "…"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_a_title_is_the_first_words(text: str, title: str) -> None:
    assert make_title(text) == title


@given(st.text())
def test_a_title_is_short_and_on_one_line(text: str) -> None:
    assert len(make_title(text)) <= TITLE_MAX
    assert len(make_title(text).splitlines()) <= 1


def test_ids_rise_within_a_millisecond_and_when_the_clock_steps_back() -> None:
    ids = MessageIdGenerator()
    moments = [NOON, NOON, NOON - timedelta(hours=1), NOON, NOON + timedelta(milliseconds=1)]

    made = [ids.next_id(moment) for moment in moments]

    assert made == sorted(set(made))


def test_threads_get_different_ids_each_in_its_order() -> None:
    ids = MessageIdGenerator()

    def make(_: int) -> list[str]:
        return [ids.next_id(NOON) for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(4)))

    assert all(each == sorted(each) for each in made)
    assert len({one for each in made for one in each}) == 200


@given(st.lists(st.integers(-2, 2), max_size=50))
def test_ids_rise_whatever_the_clock_does_and_a_burst_is_not_dated_ahead(steps: list[int]) -> None:
    ids, moment, latest = MessageIdGenerator(), NOON, NOON
    made: list[str] = []
    for step in steps:
        moment += timedelta(milliseconds=step)
        latest = max(latest, moment) if made else moment
        made.append(ids.next_id(moment))

        assert ULID.from_str(made[-1]).milliseconds == epoch_ms(latest)

    assert made == sorted(set(made))


def test_a_members_word_is_not_the_owners() -> None:
    talk = a_conversation(members=("bob",))
    talk.require_owner("ada")

    for user, code in (("bob", "not_the_owner"), ("eve", "not_a_member")):
        with pytest.raises(ForbiddenError) as refused:
            talk.require_owner(user)
        assert refused.value.code == code
