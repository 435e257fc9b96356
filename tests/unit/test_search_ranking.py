"""membus.search: how the features of a passage rank it."""

from datetime import date, timedelta

import pytest

from membus.search.model import Memory
from membus.search.passages import index_passages
from membus.search.query import parse_query
from membus.search.ranking import RankedPassage, rank_passages
from membus.search.retrieval import IndexEntry, index_entry, search_entries
from tests.factories import NOON
from tests.support.memories import a_memory

TODAY = date(2026, 11, 20)
LONG = " ".join(f"Sentence number {number} tells of wind and weather." for number in range(60))


def said(number: int, text: str, *, speaker: str = "Ada", session: str = "s1", days: int = 0) -> Memory:
    moment = NOON + timedelta(days=days, seconds=number)
    return a_memory(f"m{number}", text, kind="episode", session=session, speaker=speaker, occurred_at=moment)


def ranked(question: str, *memories: Memory) -> list[RankedPassage]:
    query = parse_query(question, now=TODAY)
    entries: list[IndexEntry] = [index_entry(memory) for memory in memories]
    found = search_entries(entries, terms=query.terms, similarity=lambda _: 0.5)
    return rank_passages(query, found.rows, found.scope, limit=10)


def first(question: str, *memories: Memory) -> str:
    return ranked(question, *memories)[0].row.group_id


def test_short_answer_is_found_by_the_question_before_it() -> None:
    talk = [
        said(1, "It rained all day."),
        said(2, "Which violin did you buy?", speaker="Bob"),
        said(3, "The old one."),
        said(4, "We had soup."),
        said(5, "And bread."),
        said(6, "And cheese."),
    ]

    assert {each.row.group_id for each in ranked("Which violin was bought?", *talk)[:2]} == {"m2", "m3"}


def test_speaker_named_in_the_query_ranks_first() -> None:
    talk = [said(1, "I play chess.", speaker="Bob"), said(2, "I play chess.", speaker="Ada", session="s2")]

    assert first("What does Ada play, chess?", *talk) == "m2"
    assert first("What does Bob play, chess?", *talk) == "m1"


def test_day_named_in_the_query_decides_between_equals() -> None:
    talk = [said(1, "Chess again.", session="s1"), said(2, "Chess again.", session="s2", days=90)]

    later = (NOON + timedelta(days=90)).date()
    assert first(f"Who won at chess on {later}?", *talk) == "m2"
    assert first(f"Who won at chess on {NOON.date()}?", *talk) == "m1"


def test_instruction_ranks_before_a_message_about_its_topic() -> None:
    talk = [said(1, "The parser has tests."), said(2, "Always run the tests.", session="s2")]

    assert first("Which tests?", *talk) == "m2"


def test_reply_of_the_model_ranks_higher_when_asked_for() -> None:
    talk = [
        said(1, "Green tea helps.", speaker="assistant"),
        said(2, "Green tea helps.", speaker="user", session="s2"),
    ]
    plain, asked = (
        {each.row.group_id: each.score for each in ranked(question, *talk)}
        for question in ("Which tea helps?", "Which tea helps, did you say?")
    )

    assert plain["m1"] < plain["m2"]
    assert asked["m1"] > plain["m1"]
    assert asked["m2"] == plain["m2"]


def test_overview_has_more_than_one_sitting() -> None:
    loud = [said(n, f"The garden grows, bed {n} of the garden.", session="s1") for n in range(1, 8)]
    quiet = said(20, "The garden rests.", session="s2", days=30)

    top = [each.row.group_id for each in ranked("Give me a summary of the garden", *loud, quiet)[:3]]
    assert "m20" in top
    assert "sitting_again" in ranked("Give me a summary of the garden", *loud, quiet)[-1].parts


def test_message_is_returned_by_its_best_passage_only() -> None:
    answers = ranked("What of wind and weather?", said(1, LONG), said(2, "Wind."))

    assert sorted(each.row.group_id for each in answers) == ["m1", "m2"]


def test_scores_descend_and_lie_between_0_and_1() -> None:
    for question in ("What about tea?", "A summary of tea, please"):
        scores = [
            each.score for each in ranked(question, *(said(n, f"tea {'and rain ' * n}") for n in range(1, 9)))
        ]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score < 1 for score in scores)


def test_no_candidates_are_no_results() -> None:
    assert ranked("anything?") == []


@pytest.mark.parametrize("text", ["I moved to Porto.", "Ada: I moved to Porto."])
def test_transcript_prefix_and_named_speaker_are_indexed_alike(text: str) -> None:
    (passage,) = index_passages(text, speaker="Ada")

    assert passage.embedded_text == "Ada: I moved to Porto."
    assert passage.stems == "ada move porto"
    assert passage.text == text


@pytest.mark.parametrize("text", ["I moved.", "user: I moved."])
def test_role_is_not_indexed_as_a_word(text: str) -> None:
    (passage,) = index_passages(text, speaker="user")

    assert (passage.embedded_text, passage.stems) == ("user: I moved.", "move")
