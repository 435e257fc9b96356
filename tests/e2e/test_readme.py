"""README's tour on the deployed stack, as it is printed, and nothing of it left in the checkout."""

import json
import subprocess
from pathlib import Path

import pytest

from localstack.home import REPOSITORY
from tests.support.readme import shell

pytestmark = pytest.mark.stack

SECONDS = 180
TOUR = ("Five minutes with curl", "Call it from your application")


def objects(text: str) -> list[dict[str, object]]:
    """Return the JSON objects among the lines of an output."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_tour_runs_as_printed_and_leaves_the_checkout_unchanged(stack_file: Path) -> None:
    before = set(REPOSITORY.iterdir())
    script = shell(*TOUR).replace(".local/stack.json", str(stack_file))

    tour = subprocess.run(
        ["/bin/bash", "-eu"],
        input=script,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=SECONDS,
        check=False,
    )

    assert tour.returncode == 0, tour.stderr
    answers = objects(tour.stdout)
    assert [each for each in answers if "code" in each and "request_id" in each] == []
    assert len([each for each in answers if "accepted" in each]) == 1
    assert "Miso" in tour.stdout
    assert set(REPOSITORY.iterdir()) == before
