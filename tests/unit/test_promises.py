"""docs/promises.md: every test that a promise rests on exists."""

import re

import pytest

from localstack.home import REPOSITORY

TEXT = (REPOSITORY / "docs" / "promises.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:unit|contract|integration|e2e|faults|stateful)/[\w/]+)`", TEXT)))
NUMBERS = re.findall(r"^\| (\d+) \|", TEXT, flags=re.MULTILINE)


def test_promises_are_numbered() -> None:
    assert list(map(str, range(1, 13))) == NUMBERS


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_proves_a_promise_exists(named: str) -> None:
    assert (REPOSITORY / "tests" / f"{named}.py").exists()
