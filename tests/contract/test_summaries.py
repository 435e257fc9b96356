"""The port SummaryStore.

An outline advances from where it was read, once, with all that it brings or nothing.
"""

from dataclasses import dataclass

import pytest

from membus.conversations.conversation import Conversation
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_summaries import DynamoSummaries
from membus.conversations.ports import ConversationStore, SummaryStore
from membus.conversations.summary import Slot, Summary, SummaryCheckpoint, SummaryIndex
from membus.core.errors import ConflictError
from membus.core.identity import Owner
from tests.factories import NOON, a_conversation, a_summary, a_turn
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.summaries import InMemorySummaries
from tests.support.backends import AwsBackend, OnEveryBackend


@dataclass(frozen=True)
class Stores:
    conversations: ConversationStore
    summaries: SummaryStore


@pytest.fixture
def stores(on_every_backend: OnEveryBackend, clock: StoppedClock) -> Stores:
    def fake() -> Stores:
        conversations = InMemoryConversations(clock)
        return Stores(conversations, InMemorySummaries(conversations))

    def adapter(aws: AwsBackend) -> Stores:
        table = aws.get_table("conversations")
        return Stores(DynamoConversations(table, clock), DynamoSummaries(table))

    return on_every_backend(fake, adapter)


@pytest.fixture
def talk(stores: Stores, owner: Owner) -> Conversation:
    conversation = a_conversation(tenant_id=owner.tenant, user_id=owner.user)
    stores.conversations.create_conversation(conversation, request_key="first")
    for number in range(3):
        stores.conversations.add_turn(
            owner.tenant, conversation.conversation_id, a_turn(number), request_key=f"k{number}", title=None
        )
    return conversation


def outline(version: int, *, after: SummaryIndex | None = None) -> SummaryIndex:
    turn = a_turn(version - 1)
    border = SummaryCheckpoint(
        version=version, until=turn.assistant.message_id, tokens=20 * version, messages=2 * version
    )
    slot = Slot(kind="active_entities", text="Lisbon", message_id=turn.user.message_id)
    borders = (*(after.borders if after else ()), border)
    return SummaryIndex(borders=borders, slots=(slot,), created_at=NOON)


def summary(version: int) -> Summary:
    turn = a_turn(version - 1)
    return a_summary(version=version, first=turn.user.message_id, last=turn.assistant.message_id)


def advance(
    stores: Stores, talk: Conversation, to: SummaryIndex, read: SummaryIndex, *summaries: Summary
) -> None:
    stores.summaries.save_index(talk.tenant_id, talk.conversation_id, to, read=read, summaries=summaries)


def kept(stores: Stores, talk: Conversation) -> list[Summary]:
    return list(
        stores.summaries.list_summaries(talk.tenant_id, talk.conversation_id, limit=100, after=None).items
    )


def test_new_conversation_has_no_summary_index(stores: Stores, talk: Conversation) -> None:
    assert stores.summaries.get_index(talk.tenant_id, talk.conversation_id) == SummaryIndex()
    assert stores.summaries.get_index(talk.tenant_id, talk.conversation_id, 7) == SummaryIndex()
    assert kept(stores, talk) == []


def test_summary_index_advances_and_keeps_every_version(stores: Stores, talk: Conversation) -> None:
    first = outline(1)
    advance(stores, talk, first, SummaryIndex(), summary(1))
    second = outline(2, after=first)
    advance(stores, talk, second, first, summary(2))

    of = (talk.tenant_id, talk.conversation_id)
    assert stores.summaries.get_index(*of) == second
    assert [stores.summaries.get_index(*of, version) for version in (1, 2)] == [first, second]
    assert kept(stores, talk) == [summary(1), summary(2)]


def test_write_from_an_older_summary_index_changes_nothing(stores: Stores, talk: Conversation) -> None:
    first = outline(1)
    advance(stores, talk, first, SummaryIndex(), summary(1))

    with pytest.raises(ConflictError):
        advance(stores, talk, outline(1), SummaryIndex(), summary(2))

    assert stores.summaries.get_index(talk.tenant_id, talk.conversation_id) == first
    assert kept(stores, talk) == [summary(1)]


def test_moved_checkpoint_of_the_same_version_is_a_conflict(stores: Stores, talk: Conversation) -> None:
    advance(stores, talk, outline(1), SummaryIndex())
    elsewhere = SummaryIndex(borders=(SummaryCheckpoint(version=1, until="01JOTHER", tokens=1, messages=1),))

    with pytest.raises(ConflictError):
        advance(stores, talk, outline(2), elsewhere)


def test_summary_of_a_deleted_conversation_stores_nothing(stores: Stores, owner: Owner) -> None:
    gone = a_conversation(tenant_id=owner.tenant)

    with pytest.raises(ConflictError):
        advance(stores, gone, outline(1), SummaryIndex(), summary(1))

    assert kept(stores, gone) == []
    assert stores.summaries.get_index(owner.tenant, gone.conversation_id) == SummaryIndex()


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_unsummarised_messages_are_listed_oldest_first(
    stores: Stores, talk: Conversation, limit: int
) -> None:
    def behind(after: str | None) -> list[str]:
        found = stores.summaries.list_unsummarised(
            talk.tenant_id, talk.conversation_id, after=after, limit=limit
        )
        return [message.message_id for message in found]

    said = [message.message_id for n in range(3) for message in (a_turn(n).user, a_turn(n).assistant)]
    assert behind(None) == said[:limit]
    assert behind(said[1]) == said[2:][:limit]
    assert behind(said[-1]) == []


def test_summaries_of_another_tenant_are_not_found(stores: Stores, talk: Conversation) -> None:
    advance(stores, talk, outline(1), SummaryIndex(), summary(1))
    stranger = talk.model_copy(update={"tenant_id": f"{talk.tenant_id}x"})

    assert stores.summaries.get_index(stranger.tenant_id, talk.conversation_id) == SummaryIndex()
    assert kept(stores, stranger) == []
    assert (
        stores.summaries.list_unsummarised(stranger.tenant_id, talk.conversation_id, after=None, limit=9)
        == []
    )
