"""Whether words were said, or are only said over and over."""

from membus.domain.search.terms import stem_words

PROMPT_WORDS = 6
"""So many words of the prompt in a row are the prompt, not a person's."""
LOOP_WORDS = 6


def repeats_prompt(quote: str, instructions: str) -> bool:
    """Whether the quote holds a run of the words that the model was instructed with."""
    words = quote.split()
    runs = (" ".join(words[start : start + PROMPT_WORDS]) for start in range(len(words) - PROMPT_WORDS + 1))
    return any(run in instructions for run in runs)


def is_repetitive(value: str) -> bool:
    """Whether a value is a model's loop: six words or more that say the same two or fewer over and over."""
    words = value.casefold().split()
    return len(words) >= LOOP_WORDS and len(set(words)) * 3 <= len(words)


def mentions_value(quote: str, speech: str, value: str) -> bool:
    """Whether the value's words were said: one of them in the quote, two thirds of them in the whole event.

    Words are compared by their stems, so that `plays guitar` may rest on "I started playing guitar". Scripts
    without spaces have no words to compare; there the value stands in the event as it is, or not at all.
    """
    if value in quote:
        return True
    meant, quoted, heard = set(stem_words(value)), set(stem_words(quote)), set(stem_words(speech))
    return bool(meant & quoted) and len(meant & heard) * 3 >= len(meant) * 2
