"""`make bench-chat DATA=folder`: whole conversations through chat: tokens, cost, evidence, slots and work."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean, median, quantiles

from anthropic import Anthropic
from rich.console import Console

from membus.llm.claude import ClaudeClient
from membus.llm.clients import StructuredModel
from tests.benchmarks.chat.figures import METHODS, Figures, Measuring
from tests.benchmarks.chat.lossy import LossyClient
from tests.benchmarks.chat.talking import Talk, exchanges
from tests.benchmarks.chat.work import work_table
from tests.benchmarks.search.data import read_cases
from tests.benchmarks.search.vectors import KeptVectors
from tests.benchmarks.table import Table, show
from tests.support.model_server import model_server

KEPT = Path(".local") / "bench-search"
LOSSY = 0.7
NOTE = """\
Tokens are estimates; those under "counted" are from the local model's tokenizer. Profiles are empty: nothing is
extracted here, so evidence is in the window or recalled. Summaries come from a model that forgets {lossy:.0%} of
names and figures. A user's message is cut at 480 tokens, which the API accepts. Development data: claim
nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench-chat", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with locomo_*.json and beam/beam_*.json")
    parser.add_argument("--quick", action="store_true", help="one conversation of each set")
    asked = parser.parse_args()
    try:
        cases = read_cases(asked.data)
    except FileNotFoundError as error:
        sys.exit(f"bench-chat: {error}")
    if asked.quick:
        cases = [next(mine) for _, mine in groupby(cases, key=lambda case: case.set)]
    console, vectors, found = Console(width=150), KeptVectors(KEPT / "vectors"), []
    with model_server() as url, Anthropic(api_key="bench", base_url=url, max_retries=0, timeout=60) as client:
        model = StructuredModel(LossyClient(ClaudeClient(client, "lossy"), LOSSY))
        for case in cases:
            measuring = Measuring(Talk(case, vectors, model), case)
            for number, exchange in enumerate(exchanges(case)):
                measuring.measure_turn(exchange, number)
            measuring.ask_questions()
            found.append(measuring.figures)
            console.print(f"{case.set} {case.id}: {len(measuring.figures.errors)} turns", style="dim")
    for table in (prompts_table(found), evidence_table(found), slots_table(found), work_table()):
        show(table, console)
    console.print(NOTE.format(lossy=LOSSY))


def prompts_table(found: Sequence[Figures]) -> Table:
    rows: list[list[str]] = []
    for name, mine in _sets(found):
        for method in METHODS:
            bills = [each.bills[method] for each in mine]
            tokens = [count for bill in bills for count in bill.tokens]
            costs = [cost for bill in bills for cost in bill.costs]
            hits = [hit for bill in bills for hit in bill.hits]
            rows.append(
                [
                    name,
                    method,
                    f"{fmean(tokens):,.0f}",
                    f"{max(tokens):,}",
                    f"{fmean(costs):,.0f}",
                    f"{fmean(hits):.2f}",
                ]
            )
    columns = ("set", "prompt", "tokens a turn", "most", "cost-tokens a turn", "prefix read")
    return Table("Prompts turn by turn (a token written to the cache counts 1.25, read 0.10)", columns, rows)


def evidence_table(found: Sequence[Figures]) -> Table:
    rows = []
    for name, mine in _sets(found):
        shares = {method: fmean(s for each in mine for s in each.evidence[method]) for method in METHODS}
        recalled = fmean(count for each in mine for count in each.recall_tokens)
        errors = quantiles([error for each in mine for error in each.errors], n=20)
        ms = [took for each in mine for took in each.assemble_ms]
        searched = sum(each.searched for each in mine) / len(ms)
        rows.append(
            [
                name,
                *(f"{shares[method]:.3f}" for method in METHODS),
                f"{recalled:,.0f}",
                f"{searched:.2f}",
                f"{errors[9]:.1%} / {errors[18]:.1%}",
                f"{max(t for each in mine for t in each.true_totals):,}",
                f"{median(ms):.0f}",
            ]
        )
    columns = (
        "set",
        *METHODS,
        "recalled tokens",
        "turns searched",
        "error of the estimate, p50 / p95",
        "counted, most",
        "assemble ms",
    )
    return Table(
        "Evidence in the prompt when the questions are asked; the estimate; time without the model",
        columns,
        rows,
    )


def slots_table(found: Sequence[Figures]) -> Table:
    rows = []
    for name, mine in _sets(found):
        kinds = sorted({kind for each in mine for kind in each.slots})
        for kind in kinds:
            there = [each for figures in mine for each in figures.slots.get(kind, [])]
            closed = sum(each.closed for each in mine) if kind == "unresolved_intents" else 0
            compactions = min(each.compactions for each in mine)
            rows.append([name, kind, f"{len(there)}", f"{closed}", f"{fmean(there):.1%}", f"{compactions}"])
    return Table(
        "Slots in the prompt after ten compactions",
        ("set", "slot", "open", "carried out", "in the prompt", "compactions"),
        rows,
    )


def _sets(found: Sequence[Figures]) -> Iterator[tuple[str, list[Figures]]]:
    for name in dict.fromkeys(each.case.set for each in found):
        yield name, [each for each in found if each.case.set == name]


if __name__ == "__main__":
    main()
