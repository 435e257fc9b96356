"""scripts: what every command keeps to, whoever wrote it.

Help with examples, JSON, rehearsal, a question, its docs.
"""

import re
import shlex
from argparse import ArgumentParser
from pathlib import Path

import pytest

from membus.core.errors import InvalidError
from scripts.cli import command_line, main
from scripts.command import PROGRAM, ExitCode, list_commands, require_confirmation
from scripts.target import Target
from tests.factories import NOON
from tests.fakes.api_keys import InMemoryApiKeys
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.tenants import InMemoryTenants
from tests.fakes.usage import InMemoryUsageLedger

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"
COMMANDS = {leaf.prog.removeprefix(f"{PROGRAM} "): leaf for leaf in list_commands(command_line())}
PLACELESS = {"cost estimate"}
"""They ask nobody."""
ASKING = {name: leaf for name, leaf in COMMANDS.items() if "--yes" in leaf.format_help()}


@pytest.fixture
def target() -> Target:
    return Target(
        "dev",
        InMemoryTenants(),
        InMemoryApiKeys(),
        InMemoryConversations(StoppedClock()),
        InMemoryUsageLedger(),
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_the_command_line_takes(name: str) -> None:
    shown = COMMANDS[name].format_help().partition("examples:")[2]
    examples = [shlex.split(line.strip().removeprefix(PROGRAM)) for line in shown.strip().splitlines()]

    assert examples, f"{name} --help shows no example"
    for words in examples:
        assert " ".join(words).startswith(name)
        command_line().parse_args(words)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_works_against_both_places_and_for_programs(name: str) -> None:
    help_text = COMMANDS[name].format_help()

    shared = {"--json"} if name in PLACELESS else {"--environment", "--stack", "--json"}
    assert {option for option in ("--environment", "--stack", "--json") if option in help_text} == shared


@pytest.mark.parametrize("name", ASKING)
def test_what_asks_can_be_rehearsed(name: str) -> None:
    assert "--dry-run" in ASKING[name].format_help()


def test_operations_md_lists_every_command_once_and_no_other() -> None:
    listed = re.findall(r"^\| `([^`]+)` \|", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert sorted(listed) == sorted(COMMANDS)


def test_operations_md_tells_which_commands_ask_and_which_have_a_dry_run() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*\| (.*) \|$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert dict(rows) == {name: _manners(leaf) for name, leaf in COMMANDS.items()}


def _manners(leaf: ArgumentParser) -> str:
    help_text = leaf.format_help()
    if "--yes" in help_text:
        return "dry run, asks"
    return "dry run" if "--dry-run" in help_text else "reads"


def test_exit_codes_are_those_that_the_docs_name() -> None:
    told = re.findall(r"^\| (\d+) \|", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert [int(code) for code in told] == list(ExitCode)


def test_without_a_terminal_nothing_is_done_unasked(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["tenant", "create", "acme"], open_target=lambda _: target)
    main(["key", "create", "acme"], open_target=lambda _: target)
    (key,) = target.keys.list_keys("acme")
    capsys.readouterr()

    assert main(["key", "revoke", key.key_id], open_target=lambda _: target) == ExitCode.REFUSED

    assert "say --yes" in capsys.readouterr().err
    assert target.keys.list_keys("acme")[0].status_at(NOON) == "active"


def test_on_a_terminal_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = command_line().parse_args(["key", "revoke", "abc"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)

    require_confirmation(arguments, "Sure?", ask=lambda _: True)
    with pytest.raises(InvalidError, match="nothing was changed"):
        require_confirmation(arguments, "Sure?", ask=lambda _: False)


@pytest.mark.parametrize(
    "words",
    [
        ["tenant", "create", "zeta"],
        ["tenant", "budget", "acme", "--unlimited"],
        ["key", "create", "acme"],
        ["key", "revoke", "KEY"],
    ],
)
def test_a_rehearsal_changes_nothing(target: Target, words: list[str]) -> None:
    main(["tenant", "create", "acme"], open_target=lambda _: target)
    main(["tenant", "budget", "acme", "--dollars-per-day", "5"], open_target=lambda _: target)
    main(["key", "create", "acme"], open_target=lambda _: target)
    (key,) = target.keys.list_keys("acme")
    words = [key.key_id if word == "KEY" else word for word in words]
    before = (target.tenants.list_tenants(), target.keys.list_keys("acme"))

    assert main([*words, "--dry-run"], open_target=lambda _: target) == ExitCode.DONE

    assert (target.tenants.list_tenants(), target.keys.list_keys("acme")) == before


def test_an_interrupted_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> Target:
        raise KeyboardInterrupt

    assert main(["tenant", "list"], open_target=interrupted) == ExitCode.INTERRUPTED
    assert "run it again to go on" in capsys.readouterr().err
