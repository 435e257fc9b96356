"""What validation accepts of the candidates of a credulous model, by kind of utterance."""

from collections.abc import Sequence

from tests.benchmarks.table import Table
from tests.support.utterances import ValidatedUtterance, utterances, validate_utterances


def measure() -> Table:
    """Precision: the true share of the accepted. Recall: the accepted share of the true."""
    verdicts = validate_utterances()
    groups = list(dict.fromkeys(each.group for each in utterances()))
    rows = [_row(group, [each for each in verdicts if each.utterance.group == group]) for group in groups]
    columns = ("utterances", "count", "true", "accepted", "precision", "recall", "in review", "right reason")
    return Table("Validation of labelled utterances", columns, [*rows, _row("all", verdicts)])


def _row(name: str, verdicts: Sequence[ValidatedUtterance]) -> tuple[str, ...]:
    facts = [each for each in verdicts if each.utterance.is_fact]
    accepted = [each for each in verdicts if each.admitted]
    right = sum(each.right for each in accepted)
    counts = (len(verdicts), len(facts), len(accepted))
    reasons = sum(each.right_reason for each in verdicts)
    held = sum(each.held for each in verdicts)
    return (
        name,
        *map(str, counts),
        _share(right, len(accepted)),
        _share(right, len(facts)),
        str(held),
        str(reasons),
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"
