"""scripts import: the command has a dry run, asks, and explains a refusal."""

import json
from typing import Any

import pytest

from scripts.command import ExitCode
from tests.support.imports import SAMPLES
from tests.support.targets import a_target, a_tenant, run_on


@pytest.fixture
def command() -> Any:
    run = run_on(a_target(a_tenant("zeta")))
    return lambda *words: run("import", *words, "--tenant", "zeta", "--json")


def test_dry_run_counts_and_sends_nothing(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        command(SAMPLES / "langmem.jsonl", "--from", "langmem", "--user", "ada", "--dry-run")
        == ExitCode.PARTLY
    )

    rows = json.loads(capsys.readouterr().out)
    assert rows[0] == {"what": "event", "which": "memory.imported", "count": "3"}
    assert rows[1]["which"].startswith("line 4: ")


def test_strict_import_sends_nothing_if_one_record_is_rejected(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        command(SAMPLES / "langmem.jsonl", "--from", "langmem", "--user", "ada", "--strict", "--yes")
        == ExitCode.REFUSED
    )
    assert "nothing was sent" in capsys.readouterr().err


def test_nothing_is_sent_without_confirmation(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(SAMPLES / "zep.jsonl", "--from", "zep", "--user", "ada") == ExitCode.REFUSED
    assert "say --yes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["missing.json", "--from", "mem0", "--user", "ada"], "is not there"),
        ([SAMPLES / "mem0.json", "--from", "mem0", "--user", "a b"], "is no user"),
        ([SAMPLES / "mem0.json", "--from", "membus", "--user", "ada"], "no archive"),
    ],
)
def test_import_that_cannot_be_done_is_explained(
    command: Any, capsys: pytest.CaptureFixture[str], words: list[Any], why: str
) -> None:
    assert command(*words, "--dry-run") == ExitCode.REFUSED
    assert why in capsys.readouterr().err
