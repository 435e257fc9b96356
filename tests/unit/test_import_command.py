"""scripts import: the command rehearses, asks, and says why not."""

import json
from typing import Any

import pytest

from membus.tenants.model import Tenant
from scripts.cli import main
from scripts.command import ExitCode
from scripts.target import Target
from tests.factories import NOON
from tests.fakes.api_keys import InMemoryApiKeys
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.tenants import InMemoryTenants
from tests.fakes.usage import InMemoryUsageLedger
from tests.support.imports import SAMPLES


@pytest.fixture
def command() -> Any:
    target = Target(
        "dev",
        InMemoryTenants(Tenant("zeta", "Zeta", NOON)),
        InMemoryApiKeys(),
        InMemoryConversations(StoppedClock()),
        InMemoryUsageLedger(),
    )
    return lambda *words: main(
        ["import", *map(str, words), "--tenant", "zeta", "--json"], open_target=lambda _: target
    )


def test_a_dry_run_counts_and_sends_nothing(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        command(SAMPLES / "langmem.jsonl", "--from", "langmem", "--user", "ada", "--dry-run")
        == ExitCode.PARTLY
    )

    rows = json.loads(capsys.readouterr().out)
    assert rows[0] == {"what": "event", "which": "memory.imported", "count": "3"}
    assert rows[1]["which"].startswith("line 4: ")


def test_strictly_nothing_is_sent_where_one_record_is_bad(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        command(SAMPLES / "langmem.jsonl", "--from", "langmem", "--user", "ada", "--strict", "--yes")
        == ExitCode.REFUSED
    )
    assert "nothing was sent" in capsys.readouterr().err


def test_nothing_is_sent_unasked(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
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
def test_a_command_that_cannot_be_done_says_why(
    command: Any, capsys: pytest.CaptureFixture[str], words: list[Any], why: str
) -> None:
    assert command(*words, "--dry-run") == ExitCode.REFUSED
    assert why in capsys.readouterr().err
