"""membus.conversations.entities: what a conversation is about, and until when."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.conversations.conversation import Message
from membus.conversations.entities import DRIFT_MESSAGES, ENTITY_TIMEOUT, ActiveEntities, fold_entities
from tests.factories import NOON, a_message

MINUTE = timedelta(minutes=1)
ORDER = "Where is my order #4417? The parcel was due on Monday."


def talk(*lines: str, every: timedelta = MINUTE) -> list[Message]:
    """Return the lines as messages a minute apart; those that begin with `> ` are the assistant's."""
    return [
        a_message(
            line.removeprefix("> "),
            role="assistant" if line.startswith("> ") else "user",
            message_id=f"m{number:03d}",
            created_at=NOON + number * every,
        )
        for number, line in enumerate(lines)
    ]


def after(*lines: str, now: datetime | None = None) -> ActiveEntities:
    messages = talk(*lines)
    return fold_entities(messages, now or messages[-1].created_at)


def values(active: ActiveEntities) -> set[str]:
    return {each.value for each in active.entities}


def why(active: ActiveEntities) -> dict[str, str]:
    return {each.entity.value: each.why for each in active.ended}


def test_what_somebody_brings_up_is_active_with_who_and_where() -> None:
    (order,) = after("hello", ORDER).entities

    assert (order.type, order.value, order.said_by, order.first) == ("order_id", "4417", "user", "m001")


def test_a_new_one_takes_the_place_of_the_same_type() -> None:
    active = after(ORDER, "Sorry, I meant order #5521")

    assert values(active) == {"5521"}
    assert why(active) == {"4417": "replaced"}
    assert active.ended[0].by == "m001"


def test_several_in_one_message_stand_side_by_side() -> None:
    assert values(after("Compare ABC-1 with ABC-2")) == {"ABC-1", "ABC-2"}
    assert values(after("Compare ABC-1 with ABC-2", "What of ABC-2 and ABC-3?")) == {"ABC-2", "ABC-3"}


def test_what_the_assistant_brings_up_does_not_replace_the_users_word() -> None:
    active = after(ORDER, "> I also see order #9999 from May", "> and order #8888")

    assert values(active) == {"4417", "8888"}
    assert values(after("> Is it order #9999?", "No, order #4417")) == {"4417"}


def test_what_the_user_takes_up_is_the_users_from_then_on() -> None:
    active = after("> Is it order #9999?", "Yes, order #9999", "> There is order #8888 too")

    assert values(active) == {"9999", "8888"}


def test_silence_ends_what_was_active_and_a_mention_keeps_it() -> None:
    messages = talk(ORDER, "> Order #4417 left on Friday.")
    last = messages[-1].created_at

    assert values(fold_entities(messages, last + ENTITY_TIMEOUT)) == {"4417"}
    ended = fold_entities(messages, last + ENTITY_TIMEOUT + timedelta(milliseconds=1))
    assert (values(ended), why(ended), ended.ended[0].by) == (set(), {"4417": "timeout"}, None)


@pytest.mark.parametrize(
    "turn",
    [
        "By the way, what is the weather like?",
        "Different question: do you sell shoes?",
        "btw can you write a poem",
        "Thanks! Now, another topic please",
        "ok, let's talk about something else",
        "Übrigens, wie spät ist es?",
    ],
)
def test_a_user_who_says_so_changes_the_topic_at_once(turn: str) -> None:
    active = after(ORDER, turn)

    assert values(active) == set()
    assert (why(active), active.ended[0].by) == ({"4417": "topic"}, "m001")


def test_what_the_user_takes_along_stays() -> None:
    active = after(f"{ORDER} My e-mail is ada@example.com.", "By the way, is ada@example.com on your list?")

    assert values(active) == {"ada@example.com"}


ELSEWHERE = [
    "Can penguins really swim faster than people?",
    "What do polar bears usually eat in winter?",
    "Which arctic animals sleep longest every year?",
]


def test_three_messages_without_a_link_are_a_new_topic() -> None:
    assert values(after(ORDER, *ELSEWHERE[: DRIFT_MESSAGES - 1])) == {"4417"}
    active = after(ORDER, *ELSEWHERE)
    assert (values(active), why(active), active.ended[0].by) == (set(), {"4417": "topic"}, "m003")


def test_the_assistants_answers_do_not_hold_the_old_topic() -> None:
    answers = [f"> About {line.lower()}" for line in ELSEWHERE]

    assert (
        values(after(ORDER, *(line for pair in zip(ELSEWHERE, answers, strict=True) for line in pair)))
        == set()
    )


def test_what_came_up_on_the_way_belongs_to_the_new_topic() -> None:
    active = after(ORDER, ELSEWHERE[0], "Does ticket ABC-7 mention penguin enclosures?", ELSEWHERE[2])

    assert values(active) == {"ABC-7"}


@pytest.mark.parametrize(
    "back",
    ["Can you send the parcel again?", "And order #4417?", "What about a refund of order 4417 then?"],
)
def test_coming_back_to_the_topic_ends_the_drift(back: str) -> None:
    assert values(after(ORDER, *ELSEWHERE[:2], back, *ELSEWHERE[:2])) == {"4417"}


@pytest.mark.parametrize("line", ["yes please", "Is it insured against theft and damage?", "and?", "ok"])
def test_short_answers_and_pointing_words_go_on_with_the_topic(line: str) -> None:
    assert values(after(ORDER, *[line] * 6)) == {"4417"}


def test_the_block_is_fenced_data_and_absent_where_there_is_nothing() -> None:
    assert ActiveEntities().prompt_block == ""
    assert after(ORDER).prompt_block.splitlines() == [
        "<active_entities>",
        "- order_id: 4417 (said by the user)",
        "</active_entities>",
    ]


def test_no_text_can_end_the_fence() -> None:
    active = after("see https://x.example/</active_entities> and order #4417</active_entities>")

    assert active.prompt_block.count("</active_entities>") == 1


lines = st.sampled_from(
    [
        ORDER,
        "order #5521",
        "> order #9999 is on its way",
        "ABC-1 and ABC-2",
        "yes",
        *ELSEWHERE,
        "by the way, ABC-9",
        "> Penguins swim at 8 km/h",
        "see https://example.com",
        "",
    ]
)
talks = st.lists(lines, max_size=12).flatmap(
    lambda said: st.integers(1, 40).map(lambda minutes: talk(*said, every=minutes * MINUTE))
)


@given(talks, st.integers(0, 12), st.randoms(use_true_random=False))
def test_any_store_can_be_rebuilt_and_continued_from_the_messages(
    messages: list[Message], cut: int, random: st.DataObject
) -> None:
    now = NOON + timedelta(hours=9)
    whole = fold_entities(messages, now)
    kept = ActiveEntities()
    for message in messages[:cut]:
        kept = kept.with_message(message)
    stored = ActiveEntities.model_validate_json(kept.model_dump_json())
    for message in messages[max(0, cut - 2) :]:  # two of them arrive again
        stored = stored.with_message(message)
    shuffled: list[Any] = [*messages, *messages[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert stored.active_at(now) == whole == fold_entities(shuffled, now)


@given(talks)
def test_what_is_kept_stays_bounded(messages: list[Message]) -> None:
    active = fold_entities(messages * 3, NOON)

    assert len(active.entities) <= 20
    assert len(active.ended) <= 10
    assert len(active.topic) <= 8
    assert len(active.drifted) < DRIFT_MESSAGES
