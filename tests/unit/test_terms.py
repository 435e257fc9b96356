"""membus.core.text.terms: words of every script, so that a query finds what a text says."""

import pytest

from membus.core.text.terms import split_words, stem_words


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("上海", "我住在上海,喜欢咖啡"),
        ("東京", "私は東京に住んでいます"),
        ("猫", "私は猫が好きです"),
        ("서울", "저는 서울에 살아요"),
        ("กรุงเทพ", "ฉันอยู่กรุงเทพมหานคร"),
        ("दिल्ली", "मैं दिल्ली में रहता हूँ"),
        ("cafe", "We met at the Café Central"),
        ("Zürich", "I flew to Zurich"),
        ("cafe\u0301", "un café"),
        ("Αθηνα", "Μένω στην Αθήνα"),
    ],
)
def test_a_word_is_found_in_a_text_that_says_it(query: str, text: str) -> None:
    assert set(stem_words(query)) <= set(stem_words(text))


@pytest.mark.parametrize(
    ("one", "other"), [("मोर", "मीर"), ("北京", "南京"), ("мой", "мои"), ("서울", "부산")]
)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert split_words(one) != split_words(other)


def test_english_is_split_as_before() -> None:
    assert split_words("I can't live without O\u2019Brien's coffee_beans") == [
        "i",
        "can't",
        "live",
        "without",
        "o'brien",
        "s",
        "coffee",
        "beans",
    ]
