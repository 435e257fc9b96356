"""`make bench-search DATA=folder`: recall of the evidence beside baselines and Mem0, per set and category."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from membus.search.ranking import rank_passages
from tests.benchmarks.search import measure, weighing
from tests.benchmarks.search.baselines import Baselines
from tests.benchmarks.search.data import Case, read_cases
from tests.benchmarks.search.halves import crossed, crossed_table, of_membus, unseen
from tests.benchmarks.search.mem0 import NAME, Mem0, Mem0UnavailableError
from tests.benchmarks.search.samples import Sample, samples_of
from tests.benchmarks.search.through_postgres import parity
from tests.benchmarks.search.vectors import KeptVectors
from tests.benchmarks.table import show

KEPT = Path(".local") / "bench-search"
PASSAGES = 100  # as many as the API shows at most
QUICK_CASES, QUICK_STEP = 2, 5
NOTE = """\
Development data: its halves chose the weights. "{other}" are fitted on the other half of the conversations, so
that no question saw its own conversation; "{shipped}" are those of the layer, fitted on all of them. Claim
neither: a claim needs conversations that nothing here has seen. * marks the best of a row."""


def main() -> None:
    asked = _arguments()
    try:
        cases = read_cases(asked.data)
    except FileNotFoundError as error:
        sys.exit(f"bench-search: {error}")
    cases = _quick(cases) if asked.quick else cases
    vectors, console = KeptVectors(KEPT / "vectors"), Console(width=150)
    samples = list(samples_of(cases, vectors))
    if asked.write_weights:
        found, midpoint = weighing.fitted(samples)
        weighing.write(found, midpoint)
        console.print(
            f"weights of {len(samples)} questions written; run `make bench-search` to see what they do"
        )
        return
    _report(cases, samples, vectors, console)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-search", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with locomo_*.json and beam/beam_*.json")
    parser.add_argument(
        "--quick", action="store_true", help="a few conversations of each set, a fifth of LoCoMo"
    )
    parser.add_argument(
        "--write-weights", action="store_true", help="fit the weights anew and write them to the layer"
    )
    return parser.parse_args()


def _report(cases: Sequence[Case], samples: Sequence[Sample], vectors: KeptVectors, console: Console) -> None:
    both_ways = crossed(samples)
    figures = [
        *_of_baselines(cases, vectors),
        *_of_mem0(cases, vectors, console),
        *of_membus(samples, measure.SHIPPED),
        *unseen(both_ways),
    ]
    for name in dict.fromkeys(case.set for case in cases):
        show(measure.set_table(name, figures), console)
    console.print(NOTE.format(other=measure.OTHER_HALF, shipped=measure.SHIPPED), "\n")
    show(crossed_table(both_ways), console)
    show(
        measure.within_table(
            [
                measure.within(s.case, s.question, rank_passages(s.query, s.rows, s.scope, limit=PASSAGES))
                for s in samples
            ]
        ),
        console,
    )
    first = cases[0]
    show(parity(first, [sample for sample in samples if sample.case is first], vectors), console)


def _of_baselines(cases: Sequence[Case], vectors: KeptVectors) -> Iterator[measure.Measured]:
    for case in cases:
        methods, asked = (
            Baselines(case, vectors),
            vectors.embed_texts([question.text for question in case.questions]),
        )
        for question, vector in zip(case.questions, asked, strict=True):
            for name, ids in methods.ranked(question.text, vector).items():
                yield measure.measured(case, question, name, ids)


def _of_mem0(cases: Sequence[Case], vectors: KeptVectors, console: Console) -> list[measure.Measured]:
    mem0 = Mem0(KEPT / "mem0")
    try:
        mem0.install()
        return [
            measure.measured(case, question, NAME, ids)
            for case in cases
            for question, ids in zip(case.questions, mem0.found(case, vectors), strict=True)
        ]
    except Mem0UnavailableError as reason:
        console.print(f"{NAME} is missing from these tables: {reason}\n")
        return []


def _quick(cases: Sequence[Case]) -> list[Case]:
    few: list[Case] = []
    for name in dict.fromkeys(case.set for case in cases):
        mine = [case for case in cases if case.set == name][:QUICK_CASES]
        few += [
            replace(c, questions=c.questions[::QUICK_STEP] if name == "LoCoMo" else c.questions) for c in mine
        ]
    return few


if __name__ == "__main__":
    main()
