"""The samples that weights are fitted on: a question with the feature columns of its passages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from membus.search.query import SearchQuery, parse_query
from membus.search.ranking import feature_columns
from membus.search.retrieval import CandidateRows, PassageRow, ScopeStatistics
from tests.benchmarks.search.data import ASKED, Case, Question, found_ids
from tests.benchmarks.search.store import Store
from tests.benchmarks.search.vectors import KeptVectors

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One question with what the store gathered for it.

    `columns` has a row for each passage, `message` the number of each passage's message; `gold` are the
    numbers of the messages that are evidence.
    """

    case: Case
    question: Question
    query: SearchQuery
    rows: Sequence[PassageRow]
    scope: ScopeStatistics
    names: tuple[str, ...]
    columns: Matrix
    message: NDArray[np.int64]
    gold: NDArray[np.int64]

    @property
    def kind(self) -> str:
        """LoCoMo or BEAM, of whatever size."""
        return self.case.set.partition(" ")[0]


def samples_of(cases: Sequence[Case], vectors: KeptVectors) -> Iterator[Sample]:
    for case in cases:
        entries = case.entries()
        store = Store(
            entries, vectors.embed_texts([p.embedded_text for entry in entries for p in entry.passages])
        )
        queries = [parse_query(question.text, now=ASKED.date()) for question in case.questions]
        asked = vectors.embed_texts([query.text for query in queries])
        for question, query, vector in zip(case.questions, queries, asked, strict=True):
            yield _sample(case, question, query, *store.gather(query, vector))


def _sample(
    case: Case, question: Question, query: SearchQuery, rows: list[PassageRow], scope: ScopeStatistics
) -> Sample:
    columns = feature_columns(query, CandidateRows(rows), scope)
    ids = found_ids(row.group_id for row in rows)
    numbers = {message: number for number, message in enumerate(dict.fromkeys(ids))}
    gold = sorted(numbers[message] for message in question.gold if message in numbers)
    return Sample(
        case,
        question,
        query,
        rows,
        scope,
        tuple(columns),
        np.array(list(columns.values())).T,
        message=np.array([numbers[message] for message in ids]),
        gold=np.array(gold, np.int64),
    )
