"""The port FreshWords: what a turn leaves for the user's other conversations, until it has been read."""

from datetime import timedelta

import pytest

from membus.conversations.ports import ConversationStore, UnprocessedMessages
from membus.conversations.unprocessed_messages import (
    UNPROCESSED_LIFETIME,
    UNPROCESSED_MAX,
    UnprocessedMessage,
    unprocessed_from_turn,
)
from membus.core.errors import ConflictError
from membus.core.identity import Owner
from tests.factories import a_conversation, a_turn
from tests.fakes.clock import StoppedClock


@pytest.fixture
def someone(owner: Owner, conversations: ConversationStore) -> Owner:
    """Return the author of every turn, who has two conversations."""
    for name in ("one", "two"):
        conversations.create_conversation(
            a_conversation(name, tenant_id=owner.tenant), request_key=f"{owner.tenant}-{name}"
        )
    return Owner(tenant=owner.tenant, user="ada")


def say(
    conversations: ConversationStore, someone: Owner, number: int, *, where: str = "one", **fields: bool
) -> None:
    turn = a_turn(number, content=f"words {number}")
    turn = turn.model_copy(update={"user": turn.user.model_copy(update=fields)})
    conversations.add_turn(someone.tenant, where, turn, request_key=f"k{number}", title=None)


def test_what_was_said_in_any_conversation_is_there_at_once_newest_first(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0)
    say(conversations, someone, 1, where="two")

    newest = fresh.list_newest(someone)

    assert [(each.text, each.conversation_id) for each in newest] == [("words 1", "two"), ("words 0", "one")]
    assert newest[0] == unprocessed_from_turn(a_turn(1, content="words 1"), "two")


def test_what_has_been_read_is_gone_and_may_be_settled_again(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    for number in range(2):
        say(conversations, someone, number)

    for _ in range(2):
        fresh.mark_processed(someone, [a_turn(0).event_id, "never-there"])

    assert [each.text for each in fresh.list_newest(someone)] == ["words 1"]


def test_the_stamp_is_another_one_with_each_word_and_goes_with_what_was_read(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    assert fresh.get_version_token(someone) is None
    stamps = []
    for number in range(2):
        say(conversations, someone, number)
        stamps.append(fresh.get_version_token(someone))

    assert None not in stamps
    assert len(set(stamps)) == 2

    fresh.mark_processed(someone, [a_turn(0).event_id, a_turn(0).event_id])
    assert fresh.get_version_token(someone) is None
    assert [each.text for each in fresh.list_newest(someone)] == ["words 1"]


def test_a_turn_that_was_not_stored_leaves_nothing(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0)
    fresh.mark_processed(someone, [a_turn(0).event_id])

    with pytest.raises(ConflictError):
        say(conversations, someone, 0)

    assert fresh.list_newest(someone) == []


def test_what_is_not_to_be_remembered_leaves_nothing(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0, remember=False)

    assert fresh.list_newest(someone) == []


def test_words_of_events_stand_beside_those_of_turns_newest_first_whatever_their_ids(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0)
    said_at = fresh.list_newest(someone)[0].said_at
    told = [
        UnprocessedMessage(
            event_id=name, conversation_id=None, text=name, said_at=said_at + timedelta(seconds=seconds)
        )
        for name, seconds in (("m-first", 1), ("zz-then", 5), ("a-last", 9))
    ]

    fresh.add_messages({someone: told})

    newest = [each.text for each in fresh.list_newest(someone)]
    assert sorted(newest) == ["a-last", "m-first", "words 0", "zz-then"]
    assert [text for text in newest if text != "words 0"] == ["a-last", "zz-then", "m-first"]
    fresh.mark_processed(someone, [each.sort_key for each in told])
    assert [each.text for each in fresh.list_newest(someone)] == ["words 0"]


def test_nobody_else_hears_it(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0)

    assert fresh.list_newest(Owner(tenant=someone.tenant, user="bob")) == []
    assert fresh.list_newest(Owner(tenant=f"{someone.tenant}x", user="ada")) == []


def test_words_that_nobody_read_in_time_are_not_fresh_any_more(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner, clock: StoppedClock
) -> None:
    say(conversations, someone, 0)

    clock.advance(UNPROCESSED_LIFETIME + timedelta(seconds=1))

    assert fresh.list_newest(someone) == []


def test_one_read_hands_out_no_more_than_the_newest(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    for number in range(UNPROCESSED_MAX + 3):
        say(conversations, someone, number)

    newest = fresh.list_newest(someone)

    assert (len(newest), newest[0].text) == (UNPROCESSED_MAX, f"words {UNPROCESSED_MAX + 2}")
