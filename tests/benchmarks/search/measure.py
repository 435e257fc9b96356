"""The figures of a search: the share of the evidence among the first messages, and within a budget of tokens."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from membus.domain.search.ranking import Ranked
from membus.domain.tokens import estimate_tokens
from tests.benchmarks.table import Table

KS = (5, 10, 20)
BUDGETS = (500, 1_000, 1_700, 3_000, 6_000)


@dataclass(frozen=True)
class Measured:
    """One question by one method; `recall` by number of messages, or of tokens where the key is a budget."""

    set: str
    category: str
    method: str
    recall: dict[int, float]


def recall_at(ranked: Sequence[str], gold: frozenset[str]) -> dict[int, float]:
    return {k: len(gold & set(ranked[:k])) / len(gold) for k in KS}


def recall_within(ranked: Iterable[Ranked], gold: frozenset[str]) -> dict[int, float]:
    """Fill each budget with passages (speaker and text), best first, leaving out what does not fit any more."""
    found: dict[int, set[str]] = {budget: set() for budget in BUDGETS}
    left = {budget: budget for budget in BUDGETS}
    for each in ranked:
        cost = estimate_tokens(f"{each.row.speaker}: {each.row.text}")
        for budget in BUDGETS:
            if cost <= left[budget]:
                left[budget] -= cost
                found[budget].add(each.row.group_id)
    return {budget: len(gold & found[budget]) / len(gold) for budget in BUDGETS}


def tables(measured: Sequence[Measured]) -> list[Table]:
    """Return one table for each data set: every method over all questions, then by category at 10."""
    return [_table(name, [m for m in measured if m.set == name]) for name in sorted({m.set for m in measured})]


def within_table(measured: Sequence[Measured]) -> Table:
    sets = sorted({m.set for m in measured})
    rows = [[name, *(f"{fmean(m.recall[b] for m in measured if m.set == name):.3f}" for b in BUDGETS)] for name in sets]
    return Table("Share of the evidence in so many tokens of recalled passages", ["set", *map(str, BUDGETS)], rows)


def _table(name: str, measured: Sequence[Measured]) -> Table:
    by_method: dict[str, list[Measured]] = defaultdict(list)
    for each in measured:
        by_method[each.method].append(each)
    categories = sorted({each.category for each in measured})
    columns = ["method", *(f"@{k}" for k in KS), *(f"{category} @10" for category in categories)]
    rows = [
        [method, *(_mean(of, k) for k in KS), *(_mean([m for m in of if m.category == c], 10) for c in categories)]
        for method, of in by_method.items()
    ]
    return Table(f"{name}: recall of the evidence ({len(next(iter(by_method.values())))} questions)", columns, rows)


def _mean(measured: Sequence[Measured], k: int) -> str:
    return f"{fmean(each.recall[k] for each in measured):.3f}"
