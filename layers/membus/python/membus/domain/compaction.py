"""When a conversation is due for a summary, which turns the next one tells of, and which chapters become one."""

from collections.abc import Sequence

from membus.domain.conversation import Message
from membus.domain.summary import Chapter
from membus.domain.tokens import MESSAGE_OVERHEAD

DUE_TOKENS = 8_000
DUE_MESSAGES = 40
"""Twenty turns."""
TURN_TOKENS = 1_500
"""A message of 500 and an answer of 1,000. Due is what the next turn would carry past 8,000.

The window cannot wait.
"""
WINDOW_KEPT_TOKENS = 4_000
TURNS_BETWEEN_CUTS = 5
"""A cut has what it keeps written to the provider's cache anew: it is to last so many turns."""
SEGMENT_TOKENS = 8_000
"""A model is given no more at once, whatever has piled up."""
ROLLUP_CHAPTERS = 4
"""So many chapters of one level become one of the next: at most three of each stand side by side."""


def needs_summary(*, tokens: int, messages: int) -> bool:
    """Whether so much that no summary covers calls for one."""
    return tokens + TURN_TOKENS > DUE_TOKENS or messages >= DUE_MESSAGES


def next_segment(messages: Sequence[Message]) -> Sequence[Message]:
    """Return the turns that the next summary tells of: whole ones from the oldest, never the newest.

    What presses by tokens is covered until the window's half is left, or less where turns are long; what
    presses by turns to the turn before the newest. Where two devices' turns run into each other, no border
    parts a question from its answer.
    """
    total = sum(map(message_tokens, messages))
    keep = _tokens_to_keep(messages, total) if total + TURN_TOKENS > DUE_TOKENS else 0
    end, taken = 0, 0
    for border in _turn_starts(messages):
        size = sum(map(message_tokens, messages[end:border]))
        if end and taken + size > SEGMENT_TOKENS:
            break
        end, taken = border, taken + size
        if keep and total - taken <= keep:
            break
    return messages[:end]


def message_tokens(message: Message) -> int:
    """Return the message's tokens with its frame."""
    return message.tokens + MESSAGE_OVERHEAD


def select_rollup(chapters: Sequence[Chapter]) -> Sequence[Chapter]:
    """Return the oldest chapters that the next level is due to sum up, from the lowest such level.

    Or none.
    """
    for level in sorted({chapter.level for chapter in chapters}):
        side_by_side = [chapter for chapter in chapters if chapter.level == level]
        if len(side_by_side) >= ROLLUP_CHAPTERS:
            return side_by_side[:ROLLUP_CHAPTERS]
    return ()


def _tokens_to_keep(messages: Sequence[Message], total: int) -> int:
    """Return the tokens to leave uncovered.

    Half a window, and so much less that the next turns fit, one at least.
    """
    turns = max(sum(message.role == "user" for message in messages), 1)
    return min(WINDOW_KEPT_TOKENS, max(DUE_TOKENS - TURNS_BETWEEN_CUTS * total // turns, TURN_TOKENS))


def _turn_starts(messages: Sequence[Message]) -> list[int]:
    """Return the places where a turn begins and the one before it is answered; the end is none.

    It is the newest.
    """
    return [
        place
        for place in range(1, len(messages))
        if messages[place].role == "user" and messages[place - 1].role == "assistant"
    ]
