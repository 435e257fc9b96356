"""Ten compactions by a model that forgets nine in ten names and figures, through the real client."""

import pytest
from anthropic import Anthropic

from functions.summarize.schemas import SummaryDue
from functions.summarize.usecase import Summarizer
from membus.conversations.prompt_blocks import render_summary_block
from membus.llm.claude import ClaudeClient
from membus.llm.clients import StructuredModel
from tests.benchmarks.chat.lossy import LossyClient
from tests.factories import NOON, a_conversation, a_turn
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.summaries import InMemorySummaries

COMPACTIONS = 10


@pytest.fixture
def forgetful(anthropic: Anthropic) -> StructuredModel:
    return StructuredModel(LossyClient(ClaudeClient(anthropic, "forgetful"), share=0.9))


def test_a_forgetful_model_loses_no_slot_in_ten_compactions(forgetful: StructuredModel) -> None:
    conversations = InMemoryConversations(StoppedClock(), a_conversation("c"))
    summaries = InMemorySummaries(conversations)
    summarizer = Summarizer(
        conversations=conversations,
        summaries=summaries,
        model=lambda _: forgetful,
        clock=lambda: NOON,
        seconds_left=lambda: 20.0,
    )
    for number in range(19 * COMPACTIONS + 1):
        said = f"We met Anna{number} Berg in Town{number} and I decided to pay ${number},500 on March {number % 28 + 1}."
        conversations.add_turn(
            "acme", "c", a_turn(number, content=said), request_key=f"k{number}", title=None
        )
        summarizer.advance_summary(SummaryDue(tenant_id="acme", conversation_id="c"))

    outline = summaries.get_index("acme", "c")
    written = summaries.list_summaries("acme", "c", limit=100, after=None).items
    admitted = {slot.text: slot for each in written if each.level == 0 for slot in each.slots}
    shown = render_summary_block(outline)
    assert outline.last_checkpoint.version == COMPACTIONS
    assert len(admitted) > 5 * COMPACTIONS
    assert [slot.text for slot in admitted.values() if not slot.occurs_in(shown)] == []
    assert any(each.verification.lost_first for each in written)
    assert all(slot.occurs_in(each.full_text) for each in written for slot in each.slots)
