"""The port ConversationStore: a turn is stored whole or not at all, once for each request."""

from datetime import timedelta
from typing import get_args

import pytest

from membus.conversations.conversation import Conversation, ConversationStatus, Message
from membus.conversations.ports import ConversationStore
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from tests.factories import a_conversation, a_turn
from tests.fakes.clock import StoppedClock

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def talk(conversations: ConversationStore, owner: Owner) -> Conversation:
    conversation = a_conversation(tenant_id=owner.tenant, user_id=owner.user)
    conversations.create_conversation(conversation, request_key="first")
    return conversation


def add(conversations: ConversationStore, talk: Conversation, number: int = 0, *, key: str = "k") -> None:
    turn = a_turn(number)
    conversations.add_turn(
        talk.tenant_id, talk.conversation_id, turn, request_key=key, title=f"turn {number}"
    )


def messages(conversations: ConversationStore, talk: Conversation) -> list[Message]:
    return list(
        conversations.list_messages(talk.tenant_id, talk.conversation_id, limit=100, after=None).items
    )


def test_a_conversation_is_found_as_it_was_made(conversations: ConversationStore, owner: Owner) -> None:
    made = a_conversation(
        tenant_id=owner.tenant, title="Trip", members=("bob",), agent_id="guide", status="archived"
    )

    conversations.create_conversation(made, request_key="first")

    assert conversations.get_conversation(owner.tenant, made.conversation_id) == made


def test_a_conversation_is_made_once(conversations: ConversationStore, talk: Conversation) -> None:
    with pytest.raises(ConflictError):
        conversations.create_conversation(talk.model_copy(update={"user_id": "mallory"}), request_key="other")

    assert conversations.get_conversation(talk.tenant_id, talk.conversation_id) == talk


def test_the_same_request_finds_the_conversation_it_made(
    conversations: ConversationStore, talk: Conversation
) -> None:
    again = talk.model_copy(update={"conversation_id": "01JZAGAIN"})

    assert conversations.create_conversation(again, request_key="first") == talk

    stranger = again.model_copy(update={"tenant_id": f"{talk.tenant_id}x"})
    assert conversations.create_conversation(stranger, request_key="first") == stranger


def test_conversation_of_another_tenant_is_not_found(
    conversations: ConversationStore, talk: Conversation
) -> None:
    add(conversations, talk)
    stranger = f"{talk.tenant_id}x"

    for tenant, conversation_id in ((stranger, talk.conversation_id), (talk.tenant_id, "nowhere")):
        with pytest.raises(NotFoundError):
            conversations.get_conversation(tenant, conversation_id)
        assert conversations.list_recent_messages(tenant, conversation_id, limit=10) == []
        assert conversations.list_messages(tenant, conversation_id, limit=10, after=None).items == ()
        assert conversations.find_turn(tenant, conversation_id, "k") is None
    assert conversations.list_conversations(stranger, "active", user=None, limit=10, after=None).items == ()


def test_a_turn_stores_both_messages_and_counts_them(
    conversations: ConversationStore, talk: Conversation
) -> None:
    turn = a_turn()
    conversations.add_turn(talk.tenant_id, talk.conversation_id, turn, request_key="k", title="Hello")

    after = conversations.get_conversation(talk.tenant_id, talk.conversation_id)
    assert messages(conversations, talk) == [turn.user, turn.assistant]
    assert (after.message_count, after.title) == (2, "Hello")
    assert conversations.find_turn(talk.tenant_id, talk.conversation_id, "k") == turn


def test_the_first_title_stays(conversations: ConversationStore, talk: Conversation) -> None:
    add(conversations, talk, 0, key="a")
    add(conversations, talk, 1, key="b")

    after = conversations.get_conversation(talk.tenant_id, talk.conversation_id)
    assert (after.title, after.message_count) == ("turn 0", 4)


def test_a_turn_without_a_title_leaves_none(conversations: ConversationStore, talk: Conversation) -> None:
    conversations.add_turn(talk.tenant_id, talk.conversation_id, a_turn(), request_key="k", title=None)

    assert conversations.get_conversation(talk.tenant_id, talk.conversation_id).title is None


def test_one_request_key_stores_one_turn(conversations: ConversationStore, talk: Conversation) -> None:
    add(conversations, talk, 0)

    with pytest.raises(ConflictError):
        add(conversations, talk, 1)

    assert messages(conversations, talk) == [a_turn(0).user, a_turn(0).assistant]
    assert conversations.get_conversation(talk.tenant_id, talk.conversation_id).message_count == 2


def test_a_request_is_remembered_for_a_day_to_the_second(
    conversations: ConversationStore, talk: Conversation, clock: StoppedClock
) -> None:
    add(conversations, talk, 0)

    clock.advance(DAY - SECOND)
    assert conversations.find_turn(talk.tenant_id, talk.conversation_id, "k") == a_turn(0)
    with pytest.raises(ConflictError):
        add(conversations, talk, 1)

    clock.advance(SECOND)
    assert conversations.find_turn(talk.tenant_id, talk.conversation_id, "k") is None
    add(conversations, talk, 1)
    assert conversations.find_turn(talk.tenant_id, talk.conversation_id, "k") == a_turn(1)
    assert len(messages(conversations, talk)) == 4


def test_turn_of_a_missing_conversation_stores_nothing(
    conversations: ConversationStore, owner: Owner
) -> None:
    gone = a_conversation(tenant_id=owner.tenant)

    with pytest.raises(NotFoundError):
        add(conversations, gone)

    with pytest.raises(NotFoundError):
        conversations.get_conversation(owner.tenant, gone.conversation_id)
    assert messages(conversations, gone) == []
    assert conversations.find_turn(owner.tenant, gone.conversation_id, "k") is None
    for status in get_args(ConversationStatus):
        assert (
            conversations.list_conversations(owner.tenant, status, user=None, limit=10, after=None).items
            == ()
        )


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
def test_messages_come_oldest_first_each_once(
    conversations: ConversationStore, talk: Conversation, limit: int
) -> None:
    for number in (1, 0):
        add(conversations, talk, number, key=f"k{number}")
    said: list[Message] = []
    after: dict[str, str] | None = None
    while True:
        page = conversations.list_messages(talk.tenant_id, talk.conversation_id, limit=limit, after=after)
        said += page.items
        after = page.after
        if after is None:
            break

    assert said == [a_turn(0).user, a_turn(0).assistant, a_turn(1).user, a_turn(1).assistant]


def test_recent_messages_are_the_newest_oldest_first(
    conversations: ConversationStore, talk: Conversation
) -> None:
    for number in range(3):
        add(conversations, talk, number, key=f"k{number}")

    recent = conversations.list_recent_messages(talk.tenant_id, talk.conversation_id, limit=3)

    assert recent == [a_turn(1).assistant, a_turn(2).user, a_turn(2).assistant]


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_conversations_come_newest_first_by_status(
    conversations: ConversationStore, owner: Owner, limit: int
) -> None:
    for number, status in enumerate(["active", "archived", "active", "active"]):
        made = a_conversation(f"01JZ{number}", tenant_id=owner.tenant, status=status)
        conversations.create_conversation(made, request_key=f"k{number}")
    found: list[str] = []
    after: dict[str, str] | None = None
    while True:
        page = conversations.list_conversations(owner.tenant, "active", user=None, limit=limit, after=after)
        found += [each.conversation_id for each in page.items]
        after = page.after
        if after is None:
            break

    assert found == ["01JZ3", "01JZ2", "01JZ0"]
