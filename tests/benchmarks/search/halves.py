"""Cross-validation: weights fitted on one half of the conversations, measured on the other, both ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from membus.search.ranking import rank_passages
from tests.benchmarks.search.data import found_ids
from tests.benchmarks.search.measure import KS, OTHER_HALF, Measured, measured
from tests.benchmarks.search.samples import Sample
from tests.benchmarks.search.weighing import fitted, in_force
from tests.benchmarks.table import Table

NAMES = ("first", "second")


@dataclass(frozen=True)
class Crossed:
    """The figures of weights of one half on a half; `fitted_on` and `asked_of` are 0 or 1."""

    fitted_on: int
    asked_of: int
    figures: Sequence[Measured]


def of_membus(samples: Sequence[Sample], method: str) -> list[Measured]:
    """Rank by the weights in force."""
    return [
        measured(sample.case, sample.question, method, found_ids(each.row.group_id for each in ranked))
        for sample in samples
        for ranked in [rank_passages(sample.query, sample.rows, sample.scope, limit=max(KS))]
    ]


def crossed(samples: Sequence[Sample]) -> list[Crossed]:
    halves = _halves(samples)
    every: list[Crossed] = []
    for fitted_on, mine in enumerate(halves):
        with in_force(fitted(mine)[0]):
            every += [
                Crossed(fitted_on, asked_of, of_membus(half, OTHER_HALF))
                for asked_of, half in enumerate(halves)
            ]
    return every


def unseen(every: Sequence[Crossed]) -> list[Measured]:
    return [each for cross in every if cross.fitted_on != cross.asked_of for each in cross.figures]


def crossed_table(every: Sequence[Crossed]) -> Table:
    sets = list(dict.fromkeys(each.set for cross in every for each in cross.figures))
    rows = [
        [
            NAMES[cross.fitted_on],
            NAMES[cross.asked_of],
            *(_mean(cross, name, k) for name in sets for k in (10, 20)),
        ]
        for cross in sorted(every, key=lambda cross: (cross.asked_of, cross.fitted_on))
    ]
    columns = ("fitted on", "asked of", *(f"{name} @{k}" for name in sets for k in (10, 20)))
    return Table(
        "Halves of the conversations: what weights find where they were fitted, and where not", columns, rows
    )


def _halves(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Deal the conversations of each set to two halves in turn."""
    dealt: tuple[list[Sample], list[Sample]] = ([], [])
    turns: dict[str, dict[str, int]] = {}
    for sample in samples:
        of_set = turns.setdefault(sample.case.set, {})
        dealt[of_set.setdefault(sample.case.id, len(of_set)) % 2].append(sample)
    return dealt


def _mean(cross: Crossed, name: str, k: int) -> str:
    recalls = [each.recall[k] for each in cross.figures if each.set == name]
    return f"{fmean(recalls):.3f}" if recalls else "-"
