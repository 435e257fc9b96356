"""membus.facts.text_checks: what no model need read."""

import pytest

from membus.facts.text_checks import is_small_talk


@pytest.mark.parametrize(
    "text",
    [
        "Hi!",
        "Good morning",
        "Goodnight!",
        "Yes please.",
        "yes",
        "No, thank you",
        "OK, great. Thanks a lot!",
        "It worked this time, thanks.",
        "That's a great idea",
        "see you tomorrow",
        "Please do.",
        "👍",
        "...",
        "Danke schön!",
        "perfect — thank you so much",
        "never mind",
        "sí, gracias",
        "That\u2019s perfect",
    ],
)
def test_what_passes_between_people_teaches_nothing(text: str) -> None:
    assert is_small_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "I work nights",
        "Good night, I live in Bath now",
        "Yes, I am vegan",
        "no nuts please",
        "Hello, my name is Mia",
        "great danes are my favourite",
        "thanks for the tofu",
        "please remember my birthday",
        "ok so I moved",
        "It works for my sister",
        "Merci, je suis végétarien",
        "我喜欢茶",
        "yes " * 100,
    ],
)
def test_what_may_say_something_is_read(text: str) -> None:
    assert not is_small_talk(text)
