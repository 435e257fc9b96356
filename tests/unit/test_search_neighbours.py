"""membus.search.ranking: the candidates whose neighbours are read."""

from membus.search.ranking import NEIGHBOURED_CANDIDATES, select_for_neighbours
from membus.search.retrieval import ScopeStatistics

SCOPE = ScopeStatistics(
    rows=1_000, average_length=20.0, frequencies={}, similarity_mean=0.2, similarity_deviation=0.1
)


def test_candidate_of_words_and_vectors_comes_before_one_of_either() -> None:
    near, worded = {"close": 0.6, "both": 0.6, "last": 0.3}, {"both": 6.0, "worded": 6.0}

    assert select_for_neighbours(near, worded, SCOPE)[0] == "both"


def test_candidate_of_words_alone_is_no_closer_than_the_last_vector() -> None:
    near, worded = {"close": 0.6, "last": 0.3}, {"last": 6.0, "worded": 6.1}

    assert select_for_neighbours(near, worded, SCOPE) == ["close", "worded", "last"]


def test_only_the_best_candidates_get_neighbours() -> None:
    near = {f"m{number:03}": 0.5 - number / 1_000 for number in range(100)}

    assert select_for_neighbours(near, {}, SCOPE) == [
        f"m{number:03}" for number in range(NEIGHBOURED_CANDIDATES)
    ]


def test_candidates_of_words_alone_are_ordered_by_words() -> None:
    worded = {f"m{number:03}": float(number) for number in range(3)}
    nothing_embedded = ScopeStatistics(rows=3, average_length=20.0, frequencies={}, similarity_deviation=0.0)

    assert select_for_neighbours({}, worded, nothing_embedded) == ["m002", "m001", "m000"]


def test_no_candidates_have_no_neighbours() -> None:
    assert select_for_neighbours({}, {}, SCOPE) == []
