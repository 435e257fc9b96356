"""The port RestoredConversations.

A conversation out of an archive, each part once, however often it comes.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from membus.conversations.conversation import Conversation, Message
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_summaries import DynamoSummaries
from membus.conversations.ports import ConversationStore, SummaryStore
from membus.conversations.window import message_tokens
from membus.core.errors import ConflictError
from membus.core.identity import Owner
from scripts.transfer.dynamodb import DynamoRestoredConversations
from scripts.transfer.ports import RestoredConversations
from tests.factories import NOON, a_conversation, a_message, a_summary, a_turn, an_outline
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.restoring import InMemoryRestoredConversations
from tests.fakes.summaries import InMemorySummaries
from tests.support.backends import AwsBackend, OnEveryBackend


@dataclass(frozen=True)
class Stores:
    conversations: ConversationStore
    summaries: SummaryStore
    restored: RestoredConversations


@pytest.fixture
def stores(on_every_backend: OnEveryBackend, clock: StoppedClock) -> Stores:
    def fake() -> Stores:
        kept = InMemoryConversations(clock)
        summaries = InMemorySummaries(kept)
        return Stores(kept, summaries, InMemoryRestoredConversations(kept, summaries))

    def adapter(aws: AwsBackend) -> Stores:
        table = aws.get_table("conversations")
        return Stores(
            DynamoConversations(table, clock),
            DynamoSummaries(table),
            DynamoRestoredConversations(table, clock),
        )

    return on_every_backend(fake, adapter)


@pytest.fixture
def talk(owner: Owner) -> Conversation:
    return a_conversation(
        tenant_id=owner.tenant, user_id=owner.user, title="Trip", status="archived", members=("bob",)
    )


def told(number: int) -> list[Message]:
    return [
        a_message(f"message {each}", message_id=f"{each:022d}SAID", created_at=NOON + timedelta(minutes=each))
        for each in range(number)
    ]


def said(stores: Stores, talk: Conversation) -> list[Message]:
    page = stores.conversations.list_messages(talk.tenant_id, talk.conversation_id, limit=100, after=None)
    return list(page.items)


def test_restored_conversation_is_listed_for_its_members(stores: Stores, talk: Conversation) -> None:
    assert stores.restored.restore_conversation(talk) == talk

    assert stores.conversations.get_conversation(talk.tenant_id, talk.conversation_id) == talk
    for user in ("user1", "bob"):
        page = stores.conversations.list_conversations(
            talk.tenant_id, "archived", user=user, limit=10, after=None
        )
        assert page.items == (talk,)


def test_restored_messages_are_in_order_and_counted_once(stores: Stores, talk: Conversation) -> None:
    stores.restored.restore_conversation(talk)
    messages = told(25)

    assert stores.restored.restore_messages(talk.tenant_id, talk.conversation_id, messages[:11]) == 11
    assert stores.restored.restore_messages(talk.tenant_id, talk.conversation_id, messages) == 14, (
        "after a crash in the middle"
    )
    assert stores.restored.restore_messages(talk.tenant_id, talk.conversation_id, messages) == 0

    assert said(stores, talk) == messages
    found = stores.conversations.get_conversation(talk.tenant_id, talk.conversation_id)
    assert (found.message_count, found.counters.tokens) == (25, sum(map(message_tokens, messages)))


def test_existing_conversation_is_not_overwritten(stores: Stores, talk: Conversation) -> None:
    stores.restored.restore_conversation(talk)
    renamed = talk.model_copy(update={"title": "Porto", "version": talk.version + 1})
    stores.conversations.update_conversation(talk, renamed)

    assert stores.restored.restore_conversation(talk).title == "Porto"
    somebody_elses = talk.model_copy(update={"user_id": "eve"})
    assert stores.restored.restore_conversation(somebody_elses).user_id == talk.user_id


def test_deleted_conversation_is_not_restored(stores: Stores, talk: Conversation) -> None:
    stores.restored.restore_conversation(talk)
    stores.conversations.delete_conversation(talk.tenant_id, talk.conversation_id)

    with pytest.raises(ConflictError) as refused:
        stores.restored.restore_conversation(talk)
    assert refused.value.code == "deleted"
    with pytest.raises(ConflictError):
        stores.restored.restore_messages(talk.tenant_id, talk.conversation_id, told(1))


def test_restored_conversation_continues(stores: Stores, talk: Conversation) -> None:
    stores.restored.restore_conversation(talk)
    stores.restored.restore_messages(talk.tenant_id, talk.conversation_id, told(2))
    stores.conversations.add_turn(
        talk.tenant_id, talk.conversation_id, a_turn(60), request_key="k", title=None
    )

    assert [each.content for each in said(stores, talk)] == ["message 0", "message 1", "hello", "hi"]
    assert stores.conversations.get_conversation(talk.tenant_id, talk.conversation_id).message_count == 4


def test_summaries_are_restored_unless_there_is_a_summary_index(stores: Stores, talk: Conversation) -> None:
    stores.restored.restore_conversation(talk)
    outline = an_outline(7)
    many = [a_summary(f"chapter {number}", first=f"{number:026d}") for number in range(120)]

    assert stores.restored.restore_summaries(talk.tenant_id, talk.conversation_id, outline, many)
    assert not stores.restored.restore_summaries(talk.tenant_id, talk.conversation_id, an_outline(9), many)

    assert stores.summaries.get_index(talk.tenant_id, talk.conversation_id) == outline
    page = stores.summaries.list_summaries(talk.tenant_id, talk.conversation_id, limit=200, after=None)
    assert page.items == tuple(many)
    following = an_outline(8, until="01JZZZZZZZZZZZZZZZZZZZZZZD")
    stores.summaries.save_index(talk.tenant_id, talk.conversation_id, following, read=outline, summaries=())
    assert stores.summaries.get_index(talk.tenant_id, talk.conversation_id) == following
