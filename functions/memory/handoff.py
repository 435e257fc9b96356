"""All that somebody needs to go on with a conversation, a colleague or another agent.

Read, never asked of a model.
"""

from collections.abc import Sequence
from datetime import datetime

from functions.memory.conversations import read_conversation
from functions.memory.conversations_api import Handoff
from membus.domain.conversation import Message
from membus.domain.entities import fold_entities
from membus.domain.erasure import SubjectsBeingErased
from membus.domain.identity import Owner
from membus.ports.conversations import ConversationStore
from membus.ports.facts import FactReader
from membus.ports.summaries import SummaryReader

HANDOFF_TURNS_MAX = 40
MESSAGES_READ = 2 * HANDOFF_TURNS_MAX
"""Twice what is said before a conversation is due for a summary."""


def read_handoff(
    tenant: str,
    conversation_id: str,
    *,
    user: str | None,
    turns: int,
    now: datetime,
    hidden: SubjectsBeingErased,
    conversations: ConversationStore,
    outlines: SummaryReader,
    facts: FactReader,
) -> Handoff:
    """Return the conversation as it stands: its last turns, and those before that no summary covers.

    Four reads.

    The facts are those of the user who asks, or of the owner where nobody is named: to share a conversation
    is not to share what is known about its owner.
    """
    conversation = read_conversation(
        tenant, conversation_id, user=user, hidden=hidden, conversations=conversations
    )
    outline = outlines.outline(tenant, conversation_id)
    recent = conversations.recent(tenant, conversation_id, limit=MESSAGES_READ)
    profile = facts.profile(Owner(tenant=tenant, user=user or conversation.user_id))
    return Handoff(
        conversation=conversation,
        summary="\n\n".join(chapter.text for chapter in outline.chapters) or None,
        summarised_until=outline.border.until,
        slots=list(outline.slots),
        open_intents=[slot.text for slot in outline.slots if slot.kind == "unresolved_intents"],
        active_entities=list(fold_entities(recent, now).entities),
        facts=list(profile.facts),
        messages=_last_messages(recent, turns, outline.border.until),
        taken_at=now,
    )


def _last_messages(recent: Sequence[Message], turns: int, until: str | None) -> list[Message]:
    """Return the messages behind message `until`, and the last turns in any case.

    Between the two is no gap.
    """
    uncovered = sum(message.message_id > (until or "") for message in recent)
    return list(recent[-max(2 * turns, uncovered) :])
