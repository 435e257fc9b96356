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


def test_unprocessed_messages_of_all_conversations_are_newest_first(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0)
    say(conversations, someone, 1, where="two")

    newest = fresh.list_newest(someone)

    assert [(each.text, each.conversation_id) for each in newest] == [("words 1", "two"), ("words 0", "one")]
    assert newest[0] == unprocessed_from_turn(a_turn(1, content="words 1"), "two")


def test_processed_message_is_gone_and_may_be_marked_again(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    for number in range(2):
        say(conversations, someone, number)

    for _ in range(2):
        fresh.mark_processed(someone, [a_turn(0).event_id, "never-there"])

    assert [each.text for each in fresh.list_newest(someone)] == ["words 1"]


def test_version_token_changes_with_each_message_and_ends_with_the_last(
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


def test_turn_that_was_not_stored_leaves_no_unprocessed_message(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0)
    fresh.mark_processed(someone, [a_turn(0).event_id])

    with pytest.raises(ConflictError):
        say(conversations, someone, 0)

    assert fresh.list_newest(someone) == []


def test_message_with_remember_false_is_not_kept(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0, remember=False)

    assert fresh.list_newest(someone) == []


def test_messages_of_events_and_turns_are_one_list_newest_first(
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


def test_unprocessed_messages_belong_to_their_user_alone(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    say(conversations, someone, 0)

    assert fresh.list_newest(Owner(tenant=someone.tenant, user="bob")) == []
    assert fresh.list_newest(Owner(tenant=f"{someone.tenant}x", user="ada")) == []


def test_unprocessed_message_expires(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner, clock: StoppedClock
) -> None:
    say(conversations, someone, 0)

    clock.advance(UNPROCESSED_LIFETIME + timedelta(seconds=1))

    assert fresh.list_newest(someone) == []


def test_one_read_returns_a_bounded_number_of_the_newest(
    conversations: ConversationStore, fresh: UnprocessedMessages, someone: Owner
) -> None:
    for number in range(UNPROCESSED_MAX + 3):
        say(conversations, someone, number)

    newest = fresh.list_newest(someone)

    assert (len(newest), newest[0].text) == (UNPROCESSED_MAX, f"words {UNPROCESSED_MAX + 2}")
