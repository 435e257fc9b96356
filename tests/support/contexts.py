"""Sources of a prompt with every part defaulted, and what a prompt comes to when it is counted anew."""

from collections.abc import Sequence
from typing import Any

from functions.chat.context import PromptContext, PromptSources, assemble_context
from membus.conversations.conversation import ConversationCounters, Message, WindowStart
from membus.conversations.recall import RecalledPassage
from membus.conversations.summary import SummaryIndex
from membus.conversations.window import message_tokens
from membus.core.tokens import MESSAGE_OVERHEAD, estimate_tokens
from membus.facts.profile import Profile
from membus.llm.prompt import Prompt
from tests.factories import ADA, NOON, a_message

EMPTY = Profile(owner=ADA)


def sources(profile: Profile = EMPTY, messages: Sequence[Message] = (), **fields: Any) -> PromptSources:
    defaults: dict[str, Any] = {
        "conversation_id": "c",
        "profile": profile,
        "messages": messages,
        "cut": WindowStart(),
        "summary_index": SummaryIndex(),
        "counters": ConversationCounters(tokens=sum(map(message_tokens, messages))),
    }
    return PromptSources(**(defaults | fields))


def context(
    profile: Profile = EMPTY, messages: Sequence[Message] = (), message: str = "hello", **fields: Any
) -> PromptContext:
    return assemble_context(sources(profile, messages, **fields), message, NOON)


def talk(turns: int, *, words: int = 3) -> list[Message]:
    """Return turns whose texts and ids are all different."""
    roles = ("user", "assistant") * turns
    return [
        a_message(f"{place} " + "word " * words, role=role, message_id=f"{place:026d}")
        for place, role in enumerate(roles)
    ]


def a_passage(text: str = "We met in Porto.", **fields: Any) -> RecalledPassage:
    defaults: dict[str, Any] = {
        "memory_id": "event:ada/e1",
        "kind": "episode",
        "text": text,
        "occurred_at": NOON,
        "score": 0.9,
    }
    return RecalledPassage.model_validate(defaults | fields)


def sizes(made: PromptContext) -> dict[str, int]:
    return {section.name: section.tokens for section in made.sections}


def estimated(prompt: Prompt) -> int:
    """Return what the prompt itself comes to, counted anew."""
    said = sum(
        estimate_tokens(said.text)
        + MESSAGE_OVERHEAD
        + sum(estimate_tokens(each.content) for each in said.results)
        + sum(estimate_tokens(call.model_dump_json()) for call in said.calls)
        for said in prompt.messages
    )
    return said + sum(estimate_tokens(block.text) for block in prompt.system)
