"""The port Remains: what is left of a deleted conversation goes, bit by bit, and nothing else does."""

from datetime import UTC, datetime

import pytest

from membus.conversations.conversation import Conversation
from membus.conversations.dynamodb import DynamoConversations, DynamoDeletedConversationItems
from membus.conversations.ports import ConversationStore
from membus.core.errors import UnavailableError
from membus.core.identity import Owner
from tests.contract.conftest import Talks
from tests.factories import a_conversation, a_turn
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock
from tests.strict import strict_aws
from tests.support.tables import make_table

TURNS = 3


@pytest.fixture
def clock() -> StoppedClock:
    """Stand still today: what ended before is removed from the deployed table by its own clock."""
    return StoppedClock(datetime.now(UTC))


@pytest.fixture
def talk(conversations: ConversationStore, owner: Owner) -> Conversation:
    return said(conversations, a_conversation("01JZ1", tenant_id=owner.tenant, members=("bob",)))


def said(conversations: ConversationStore, talk: Conversation) -> Conversation:
    conversations.create_conversation(talk, request_key=talk.conversation_id)
    for number in range(TURNS):
        place = talk.tenant_id, talk.conversation_id
        conversations.add_turn(*place, a_turn(number), request_key=f"k{number}", title=None)
    return talk


def left(conversations: ConversationStore, talk: Conversation) -> tuple[int, int]:
    """Return how many messages and requests are left."""
    place = talk.tenant_id, talk.conversation_id
    messages = conversations.list_messages(*place, limit=100, after=None).items
    return len(messages), sum(
        conversations.find_turn(*place, f"k{number}") is not None for number in range(TURNS)
    )


def remove_all(talks: Talks, talk: Conversation) -> None:
    while talks.remains.remove_batch(talk.tenant_id, talk.conversation_id):
        pass


def test_items_of_a_deleted_conversation_are_removed_and_others_stay(
    talks: Talks, talk: Conversation
) -> None:
    neighbours = [
        said(talks.conversations, talk.model_copy(update=changes))
        for changes in ({"conversation_id": "01JZ10"}, {"tenant_id": f"{talk.tenant_id}0"})
    ]
    talks.conversations.delete_conversation(talk.tenant_id, talk.conversation_id)

    remove_all(talks, talk)

    assert left(talks.conversations, talk) == (0, 0)
    assert [left(talks.conversations, each) for each in neighbours] == [(2 * TURNS, TURNS)] * 2
    assert not talks.remains.remove_batch(talk.tenant_id, talk.conversation_id)
    talks.conversations.delete_conversation(talk.tenant_id, talk.conversation_id)  # still known as deleted


def test_nothing_of_a_live_conversation_is_removed(talks: Talks, talk: Conversation) -> None:
    assert not talks.remains.remove_batch(talk.tenant_id, talk.conversation_id)

    assert left(talks.conversations, talk) == (2 * TURNS, TURNS)


def test_items_are_removed_page_by_page_with_their_large_texts(clock: StoppedClock) -> None:
    contents = InMemoryBlobs()
    with strict_aws():
        table = make_table("conversations")
        store = DynamoConversations(table, clock)
        remains = DynamoDeletedConversationItems(table, contents, page_items=3)
        talk = said(store, a_conversation("01JZ1", members=("bob",)))
        contents.put_text("messages/acme/large", "x" * 40_000)
        spilled = {"pk": "T#acme#C#01JZ1", "sk": "TOOL#1", "spilled": "messages/acme/large"}
        table.put_item(Item=spilled)
        store.delete_conversation("acme", talk.conversation_id)
        goes = 1
        while remains.remove_batch("acme", talk.conversation_id):
            goes += 1

        assert goes > 2
        assert contents.get_text("messages/acme/large") is None
        assert [item["sk"] for item in table.scan()["Items"] if item["pk"] == spilled["pk"]] == ["META"]


def test_item_stays_while_its_large_text_cannot_be_removed(clock: StoppedClock) -> None:
    contents = InMemoryBlobs()
    with strict_aws():
        table = make_table("conversations")
        store, remains = DynamoConversations(table, clock), DynamoDeletedConversationItems(table, contents)
        talk = store.create_conversation(a_conversation("01JZ1"), request_key="k")
        item = {"pk": "T#acme#C#01JZ1", "sk": "TOOL#1", "spilled": "messages/acme/large"}
        table.put_item(Item=item)
        store.delete_conversation("acme", talk.conversation_id)
        contents.down = True
        with pytest.raises(UnavailableError):
            remains.remove_batch("acme", talk.conversation_id)

        assert "Item" in table.get_item(Key={"pk": item["pk"], "sk": item["sk"]})


def test_tool_results_are_removed_with_their_reply() -> None:
    contents, clock = InMemoryBlobs(), StoppedClock()
    with strict_aws():
        table = make_table("conversations")
        conversations, talk, turn = DynamoConversations(table, clock), a_conversation("01JZ1"), a_turn()
        conversations.create_conversation(talk, request_key="c")
        contents.put_text(key := "results/acme/01JZ1/reply", "{}")
        reply = turn.assistant.model_copy(update={"spilled": key})
        place = talk.tenant_id, talk.conversation_id
        conversations.add_turn(
            *place, turn.model_copy(update={"assistant": reply}), request_key="k", title=None
        )
        assert conversations.get_message(*place, reply.message_id).spilled == key
        conversations.delete_conversation(*place)

        assert not DynamoDeletedConversationItems(table, contents).remove_batch(*place)

    assert contents.kept == {}
