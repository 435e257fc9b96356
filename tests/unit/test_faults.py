"""docs/faults.md: every fault of the field has a test, and every test that is named exists."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROWS = [
    row.split(" | ")
    for row in (TESTS.parent / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
    if row.startswith("| ") and "::" in row
]
NAMED = [name for row in ROWS for name in re.findall(r"`([\w/.]+::\w+)`", row[-1])]
REHEARSED = {
    "Postgres is down",
    "The bus is throttled",
    "A poisoned batch",
    "One tenant floods",
    "One tenant hammers the API",
}


def test_every_fault_has_a_row_with_tests() -> None:
    faults = [row[0].removeprefix("| ") for row in ROWS]
    numbers = [int(found[1]) for fault in faults if (found := re.match(r"(\d+)\. ", fault))]

    assert numbers == list(range(1, 16))
    assert set(faults) >= REHEARSED
    assert all("::" in row[-1] for row in ROWS)


@pytest.mark.parametrize("named", sorted(set(NAMED)))
def test_every_named_test_exists(named: str) -> None:
    file, _, name = named.partition("::")

    assert re.search(rf"^def {name}\(", (TESTS / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
