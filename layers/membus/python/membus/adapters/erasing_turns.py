"""What one member has said in a conversation and what was answered to it, told apart from what others said."""

from collections.abc import Iterable, Sequence

from membus.adapters.conversation_items import Item, message_of
from membus.domain.compaction import message_tokens
from membus.domain.conversation import Turn, make_title
from membus.domain.provenance import PromptProvenance


def messages_of_member(user: str, messages: Sequence[Item], prompts: Iterable[Item]) -> list[Item]:
    """Return the user's messages and the answers to them, which repeat what they were asked.

    A reply's prompt names whose it was. Where there is none, it answers the message before it.
    """
    authors = {made.message_id: made.author for made in map(_prompt_provenance, prompts)}
    found: list[Item] = []
    asked_by = ""
    for item in messages:
        message = message_of(item)
        asked_by = message.author if message.role == "user" else authors.get(message.message_id, asked_by)
        if asked_by == user:
            found.append(item)
    return found


def without_quotes(prompt: Item) -> Item | None:
    """Return how a reply's prompt is kept without the words that it quotes; None where it quotes none."""
    made = _prompt_provenance(prompt)
    if not made.entities:
        return None
    return prompt | {"body": made.model_copy(update={"entities": ""}).model_dump_json()}


def message_ids(turn: Item) -> set[str]:
    """Return the sort keys of both messages that a request brought."""
    said = Turn.model_validate_json(str(turn["body"]))
    return {f"MSG#{said.user.message_id}", f"MSG#{said.assistant.message_id}"}


def automatic_titles(messages: Iterable[Item]) -> set[str]:
    """Return the titles that messages give a conversation by themselves."""
    return {make_title(message_of(item).content) for item in messages}


def tokens_of(messages: Iterable[Item]) -> int:
    return sum(message_tokens(message_of(item)) for item in messages)


def _prompt_provenance(prompt: Item) -> PromptProvenance:
    return PromptProvenance.model_validate_json(str(prompt["body"]))
