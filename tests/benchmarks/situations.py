"""What is believed after situations in many languages: precision and recall, by group and by language."""

from collections.abc import Sequence

from tests.benchmarks.table import Table
from tests.support.situations import Outcome, play_situation, situations


def measure() -> Table:
    """Precision: the right share of what is believed. Recall: the believed share of what is right."""
    outcomes = [play_situation(each) for each in situations()]
    groups = dict.fromkeys(each.situation.group for each in outcomes)
    languages = sorted({each.situation.language for each in outcomes})
    halves = dict.fromkeys(each.situation.half for each in outcomes)
    rows = [
        *(_row(name, [each for each in outcomes if each.situation.group == name]) for name in groups),
        *(_row(name, [each for each in outcomes if each.situation.language == name]) for name in languages),
        *(
            _row(f"half {name}", [each for each in outcomes if each.situation.half == name])
            for name in halves
        ),
        _row("all", outcomes),
    ]
    return Table("Beliefs after situations", ("situations", "count", "right", "precision", "recall"), rows)


def _row(name: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    wanted = sum(len(each.situation.right) for each in outcomes)
    found = wanted - sum(len(each.missing) for each in outcomes)
    believed = sum(len(each.believed) for each in outcomes)
    false = sum(len(each.false) for each in outcomes)
    right = sum(each.is_right for each in outcomes)
    return name, str(len(outcomes)), str(right), _share(believed - false, believed), _share(found, wanted)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"
