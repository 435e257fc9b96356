"""The port ConversationStore.

What people change of a conversation, who finds it, and that deleted is deleted.
"""

from datetime import UTC, datetime, timedelta

import pytest

from membus.conversations.conversation import MEMBERS_MAX, Conversation
from membus.conversations.ports import ConversationStore
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from tests.factories import a_conversation, a_turn
from tests.fakes.clock import StoppedClock


@pytest.fixture
def clock() -> StoppedClock:
    """Stand still today: what ended before is removed from the deployed table by its own clock."""
    return StoppedClock(datetime.now(UTC))


@pytest.fixture
def talk(conversations: ConversationStore, owner: Owner) -> Conversation:
    conversation = a_conversation(tenant_id=owner.tenant, user_id=owner.user, members=("bob",))
    return conversations.create_conversation(conversation, request_key="first")


def next_of(talk: Conversation, **changes: object) -> Conversation:
    return talk.model_copy(update={**changes, "version": talk.version + 1})


def stored(conversations: ConversationStore, talk: Conversation) -> Conversation:
    return conversations.get_conversation(talk.tenant_id, talk.conversation_id)


def listed(
    conversations: ConversationStore, tenant: str, status: str = "active", user: str | None = None
) -> list[str]:
    """Return the ids of all pages, read two at a time."""
    found: list[str] = []
    after: dict[str, str] | None = None
    while True:
        page = conversations.list_conversations(tenant, status, user=user, limit=2, after=after)  # type: ignore[arg-type]
        found += [each.conversation_id for each in page.items]
        after = page.after
        if after is None:
            return found


def add(conversations: ConversationStore, talk: Conversation, number: int = 0) -> None:
    conversations.add_turn(
        talk.tenant_id, talk.conversation_id, a_turn(number), request_key=f"k{number}", title="Automatic"
    )


def test_participants_include_former_members_of_this_conversation_alone(
    conversations: ConversationStore, talk: Conversation
) -> None:
    conversations.update_conversation(talk, next_of(talk, members=("eve",)))
    conversations.create_conversation(
        talk.model_copy(update={"tenant_id": f"{talk.tenant_id}x"}), request_key="other"
    )

    def took_part(*users: str) -> set[str]:
        return conversations.filter_by_participant(talk.tenant_id, [talk.conversation_id, "another"], users)

    assert all(took_part(user) == {talk.conversation_id} for user in (talk.user_id, "bob", "eve"))
    assert took_part("mia", "bo") == set()
    assert conversations.filter_by_participant(talk.tenant_id, [], {"bob"}) == set()


def test_change_keeps_the_message_count(conversations: ConversationStore, talk: Conversation) -> None:
    add(conversations, talk)
    after = next_of(talk, title="Trip", status="archived", members=("eve", "mia"))

    counted = stored(conversations, talk).counters
    conversations.update_conversation(talk, after)

    assert stored(conversations, talk) == after.model_copy(update={"message_count": 2, "counters": counted})
    assert counted.tokens > 0


def test_other_change_keeps_the_automatic_title(conversations: ConversationStore, talk: Conversation) -> None:
    add(conversations, talk)

    conversations.update_conversation(talk, next_of(talk, status="archived"))

    assert stored(conversations, talk).title == "Automatic"


def test_messages_raise_no_version_and_never_touch_a_title_set_by_hand(
    conversations: ConversationStore, talk: Conversation
) -> None:
    conversations.update_conversation(talk, next_of(talk, title="By hand"))
    add(conversations, talk)

    after = stored(conversations, talk)
    assert (after.title, after.version, after.message_count) == ("By hand", 2, 2)


def test_first_of_two_changes_of_one_version_wins(
    conversations: ConversationStore, talk: Conversation
) -> None:
    conversations.update_conversation(talk, next_of(talk, title="First"))

    with pytest.raises(ConflictError) as lost:
        conversations.update_conversation(talk, next_of(talk, title="Second", members=("mallory",)))

    assert lost.value.version == 2
    assert (stored(conversations, talk).title, stored(conversations, talk).members) == ("First", ("bob",))
    assert listed(conversations, talk.tenant_id, user="mallory") == []


def test_conversation_is_listed_under_its_status(
    conversations: ConversationStore, talk: Conversation
) -> None:
    archived = next_of(talk, status="archived")
    conversations.update_conversation(talk, archived)
    people = (None, "user1", "bob")

    assert [listed(conversations, talk.tenant_id, "active", user) for user in people] == [[], [], []]
    assert [listed(conversations, talk.tenant_id, "archived", user) for user in people] == [
        [talk.conversation_id]
    ] * 3

    conversations.update_conversation(archived, next_of(archived, status="active"))
    assert [listed(conversations, talk.tenant_id, "active", user) for user in people] == [
        [talk.conversation_id]
    ] * 3
    assert listed(conversations, talk.tenant_id, "archived") == []


def test_user_lists_own_and_shared_conversations_alone(
    conversations: ConversationStore, owner: Owner
) -> None:
    tenant = owner.tenant
    for number, (user, members) in enumerate(
        [("ada", ()), ("bob", ("ada",)), ("bob", ("eve",)), ("adam", ())]
    ):
        made = a_conversation(f"01JZ{number}", tenant_id=tenant, user_id=user, members=members)
        conversations.create_conversation(made, request_key=f"k{number}")

    assert listed(conversations, tenant, user="ada") == ["01JZ1", "01JZ0"]
    assert listed(conversations, tenant, user="bob") == ["01JZ2", "01JZ1"]
    assert listed(conversations, tenant, user="ad") == []
    assert listed(conversations, f"{tenant}x", user="ada") == []


def test_former_member_does_not_list_it_and_a_returning_one_does(
    conversations: ConversationStore, talk: Conversation
) -> None:
    without = next_of(talk, members=("eve",))
    conversations.update_conversation(talk, without)
    assert listed(conversations, talk.tenant_id, user="bob") == []
    assert listed(conversations, talk.tenant_id, user="eve") == [talk.conversation_id]

    conversations.update_conversation(without, next_of(without, members=("bob",)))
    assert listed(conversations, talk.tenant_id, user="bob") == [talk.conversation_id]
    assert listed(conversations, talk.tenant_id, user="user1") == [talk.conversation_id]


def test_all_members_may_be_exchanged_at_once(conversations: ConversationStore, owner: Owner) -> None:
    many, others = (tuple(f"{name}{number}" for number in range(MEMBERS_MAX)) for name in ("a", "b"))
    made = a_conversation(tenant_id=owner.tenant, members=many)
    conversations.create_conversation(made, request_key="many")

    conversations.update_conversation(made, next_of(made, members=others))

    assert (
        listed(conversations, owner.tenant, user="a47"),
        len(listed(conversations, owner.tenant, user="b47")),
    ) == (
        [],
        1,
    )


def test_an_owner_among_the_members_is_one_person(conversations: ConversationStore, owner: Owner) -> None:
    made = a_conversation(tenant_id=owner.tenant, user_id="ada", members=("ada", "bob", "bob"))

    conversations.create_conversation(made, request_key="twice")

    assert len(listed(conversations, owner.tenant, user="ada")) == 1


def test_deleted_conversation_is_not_found_anywhere(
    conversations: ConversationStore, talk: Conversation
) -> None:
    add(conversations, talk)

    conversations.delete_conversation(talk.tenant_id, talk.conversation_id)

    with pytest.raises(NotFoundError):
        stored(conversations, talk)
    for status in ("active", "archived"):
        for user in (None, "user1", "bob"):
            assert listed(conversations, talk.tenant_id, status, user) == []
    with pytest.raises(NotFoundError):
        add(conversations, talk, 1)
    with pytest.raises(NotFoundError):
        conversations.update_conversation(talk, next_of(talk, title="Back"))
    with pytest.raises(ConflictError):
        conversations.create_conversation(talk, request_key="again")


def test_second_delete_changes_nothing_and_an_unknown_id_is_not_found(
    conversations: ConversationStore, talk: Conversation, clock: StoppedClock
) -> None:
    conversations.delete_conversation(talk.tenant_id, talk.conversation_id)
    clock.advance(timedelta(minutes=1))
    conversations.delete_conversation(talk.tenant_id, talk.conversation_id)

    for tenant, conversation_id in (
        (talk.tenant_id, "nowhere"),
        (f"{talk.tenant_id}x", talk.conversation_id),
    ):
        with pytest.raises(NotFoundError):
            conversations.delete_conversation(tenant, conversation_id)


def test_another_tenants_conversation_cannot_be_deleted(
    conversations: ConversationStore, talk: Conversation
) -> None:
    with pytest.raises(NotFoundError):
        conversations.delete_conversation(f"{talk.tenant_id}x", talk.conversation_id)

    assert stored(conversations, talk) == talk


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_messages_come_newest_first_each_once(
    conversations: ConversationStore, talk: Conversation, limit: int
) -> None:
    for number in range(2):
        add(conversations, talk, number)
    found: list[str] = []
    after: dict[str, str] | None = None
    while True:
        page = conversations.list_messages(
            talk.tenant_id, talk.conversation_id, limit=limit, after=after, newest_first=True
        )
        found += [message.message_id for message in page.items]
        after = page.after
        if after is None:
            break

    oldest_first = [said.message_id for turn in map(a_turn, range(2)) for said in (turn.user, turn.assistant)]
    assert found == oldest_first[::-1]


def test_one_message_is_found_by_its_id(conversations: ConversationStore, talk: Conversation) -> None:
    add(conversations, talk)
    said = a_turn().assistant

    assert conversations.get_message(talk.tenant_id, talk.conversation_id, said.message_id) == said
    for tenant, message_id in ((talk.tenant_id, "nothing"), (f"{talk.tenant_id}x", said.message_id)):
        with pytest.raises(NotFoundError):
            conversations.get_message(tenant, talk.conversation_id, message_id)
