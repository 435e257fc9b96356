"""The figures of a search: the share of the evidence among the first messages and within a token budget."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from membus.core.tokens import estimate_tokens
from membus.search.ranking import RankedPassage
from tests.benchmarks.search.data import Case, Question, found_ids
from tests.benchmarks.table import Table

KS = (5, 10, 20)
BUDGETS = (500, 1_000, 1_700, 3_000, 6_000)
SHIPPED, OTHER_HALF = "membus", "membus, weights of the other half"


@dataclass(frozen=True)
class Measured:
    """One question by one method; `recall` by number of messages, or of tokens where the key is a budget."""

    set: str
    category: str
    method: str
    recall: dict[int, float]


def measured(case: Case, question: Question, method: str, ids: Sequence[str]) -> Measured:
    recall = {k: len(question.gold & set(ids[:k])) / len(question.gold) for k in KS}
    return Measured(case.set, question.category, method, recall)


def within(case: Case, question: Question, ranked: Iterable[RankedPassage]) -> Measured:
    """Fill each budget with passages (speaker and text), best first; skip those that do not fit."""
    found: dict[int, set[str]] = {budget: set() for budget in BUDGETS}
    left = {budget: budget for budget in BUDGETS}
    for each in ranked:
        cost = estimate_tokens(f"{each.row.speaker}: {each.row.text}")
        for budget in BUDGETS:
            if cost <= left[budget]:
                left[budget] -= cost
                found[budget].update(found_ids([each.row.group_id]))
    shares = {budget: len(question.gold & found[budget]) / len(question.gold) for budget in BUDGETS}
    return Measured(case.set, question.category, SHIPPED, shares)


def set_table(name: str, of_all: Sequence[Measured]) -> Table:
    """Return every method over all questions of a set, then by category at 10; `*` where none is better."""
    mine = [each for each in of_all if each.set == name]
    methods = list(dict.fromkeys(each.method for each in mine))
    rows = [_row(f"all, @{k}", mine, methods, k) for k in KS] + [
        _row(f"{category}, @10", [each for each in mine if each.category == category], methods, 10)
        for category in sorted({each.category for each in mine})
    ]
    return Table(
        f"{name}: share of the evidence among the first messages", ("questions", "n", *methods), rows
    )


def within_table(of_all: Sequence[Measured]) -> Table:
    sets = dict.fromkeys(each.set for each in of_all)
    rows = [[name, *(f"{_mean(of_all, name, budget):.3f}" for budget in BUDGETS)] for name in sets]
    columns = ("set", *(f"{budget:,} tokens" for budget in BUDGETS))
    return Table(
        "Share of the evidence in so many tokens of recalled passages (tokens estimated)", columns, rows
    )


def _mean(of_all: Sequence[Measured], name: str, key: int) -> float:
    return fmean(each.recall[key] for each in of_all if each.set == name)


def _row(label: str, mine: Sequence[Measured], methods: Sequence[str], k: int) -> list[str]:
    means = [fmean(each.recall[k] for each in mine if each.method == method) for method in methods]
    count = sum(each.method == methods[0] for each in mine)
    return [label, str(count), *(f"{mean:.3f}{'*' if mean == max(means) else ' '}" for mean in means)]
