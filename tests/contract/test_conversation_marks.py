# ruff: noqa: F811 - the fixtures of another module
"""The port ConversationStore.

What a turn leaves for the prompts after it, and that no summary misses a turn.
"""

import pytest

from membus.conversations.conversation import Conversation, ConversationCounters, TokenRatio, WindowStart
from membus.conversations.provenance import TurnMetadata
from membus.conversations.summary import SummaryIndex
from membus.conversations.window import message_tokens
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from tests.contract.test_summaries import Stores, stores, talk  # noqa: F401 (fixtures)
from tests.factories import a_provenance, a_turn, an_outline

CUT, RATE = (
    WindowStart(version=3, after="01JA", tokens=99, stubs_until="01JB"),
    TokenRatio(model="m", ratio=1.25),
)


def counters(stores: Stores, talk: Conversation) -> ConversationCounters:
    return stores.conversations.get_conversation(talk.tenant_id, talk.conversation_id).counters


def add(stores: Stores, talk: Conversation, number: int, metadata: TurnMetadata) -> None:
    turn = a_turn(number)
    stores.conversations.add_turn(
        talk.tenant_id, talk.conversation_id, turn, request_key=f"m{number}", title=None, metadata=metadata
    )


def test_turns_add_tokens_and_keep_window_start_and_token_ratio(stores: Stores, talk: Conversation) -> None:
    one = message_tokens(a_turn(0).user) + message_tokens(a_turn(0).assistant)
    assert counters(stores, talk) == ConversationCounters(tokens=3 * one)

    add(stores, talk, 3, TurnMetadata(cut=CUT, rate=RATE))
    add(stores, talk, 4, TurnMetadata())

    assert counters(stores, talk) == ConversationCounters(tokens=5 * one, cut=CUT, rate=RATE)


def test_messages_after_a_checkpoint_are_the_newest_ones(stores: Stores, talk: Conversation) -> None:
    def behind(after: str | None, limit: int) -> list[str]:
        found = stores.conversations.list_recent_messages(
            talk.tenant_id, talk.conversation_id, limit=limit, after=after
        )
        return [message.message_id for message in found]

    said = [message.message_id for n in range(3) for message in (a_turn(n).user, a_turn(n).assistant)]
    assert behind(None, 100) == said
    assert behind(said[1], 100) == said[2:]
    assert behind(said[1], 3) == said[3:]
    assert behind(said[-1], 100) == []


def test_prompt_provenance_is_stored_with_its_reply(stores: Stores, talk: Conversation, owner: Owner) -> None:
    made = a_provenance(a_turn(3))
    add(stores, talk, 3, TurnMetadata(provenance=made))
    of = talk.tenant_id, talk.conversation_id

    assert stores.conversations.get_provenance(*of, made.message_id) == made
    for wrong in ((*of, made.user_message_id), (f"{owner.tenant}x", of[1], made.message_id)):
        with pytest.raises(NotFoundError):
            stores.conversations.get_provenance(*wrong)


def test_no_turn_is_stored_before_a_summary_checkpoint(stores: Stores, talk: Conversation) -> None:
    until = a_turn(5).assistant.message_id
    stores.summaries.save_index(
        talk.tenant_id, talk.conversation_id, an_outline(until=until), read=SummaryIndex(), summaries=()
    )

    with pytest.raises(ConflictError) as refused:
        add(stores, talk, 4, TurnMetadata())
    add(stores, talk, 6, TurnMetadata())

    assert refused.value.code == "covered"
    assert counters(stores, talk).summary_checkpoint == an_outline(until=until).last_checkpoint
