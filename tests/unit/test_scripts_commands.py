"""scripts: what all commands have in common: examples, JSON, dry run, confirmation, their docs."""

import re
import shlex
from argparse import ArgumentParser
from pathlib import Path

import pytest

from scripts.cli import command_line, main
from scripts.command import PROGRAM, DeclinedError, ExitCode, list_commands, require_confirmation
from scripts.target import Target
from tests.factories import NOON
from tests.support.targets import a_target, run_on

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"
COMMANDS = {leaf.prog.removeprefix(f"{PROGRAM} "): leaf for leaf in list_commands(command_line())}
WITHOUT_TARGET = {"cost estimate"}
"""Commands that read no environment."""
ASKING = {name: leaf for name, leaf in COMMANDS.items() if "--yes" in leaf.format_help()}


@pytest.fixture
def target() -> Target:
    return a_target()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_the_command_line_accepts(name: str) -> None:
    shown = COMMANDS[name].format_help().partition("examples:")[2]
    examples = [shlex.split(line.strip().removeprefix(PROGRAM)) for line in shown.strip().splitlines()]

    assert examples, f"{name} --help shows no example"
    for words in examples:
        assert " ".join(words).startswith(name)
        command_line().parse_args(words)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_options_for_target_and_json(name: str) -> None:
    help_text = COMMANDS[name].format_help()

    shared = {"--json"} if name in WITHOUT_TARGET else {"--environment", "--stack", "--json"}
    assert {option for option in ("--environment", "--stack", "--json") if option in help_text} == shared


@pytest.mark.parametrize("name", ASKING)
def test_command_that_asks_has_a_dry_run(name: str) -> None:
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


def test_nothing_is_done_without_terminal_and_yes(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_on(target)
    run("tenant", "create", "acme")
    run("key", "create", "acme")
    (key,) = target.keys.list_keys("acme")
    capsys.readouterr()

    assert run("key", "revoke", key.key_id) == ExitCode.REFUSED

    assert "say --yes" in capsys.readouterr().err
    assert target.keys.list_keys("acme")[0].status_at(NOON) == "active"


def test_only_yes_on_the_terminal_confirms(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = command_line().parse_args(["key", "revoke", "abc"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)

    require_confirmation(arguments, "Sure?", ask=lambda _: True)
    with pytest.raises(DeclinedError, match="nothing was changed"):
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
def test_dry_run_changes_nothing(target: Target, words: list[str]) -> None:
    run = run_on(target)
    run("tenant", "create", "acme")
    run("tenant", "budget", "acme", "--dollars-per-day", "5")
    run("key", "create", "acme")
    (key,) = target.keys.list_keys("acme")
    words = [key.key_id if word == "KEY" else word for word in words]
    before = (target.tenants.list_tenants(), target.keys.list_keys("acme"))

    assert run(*words, "--dry-run") == ExitCode.DONE

    assert (target.tenants.list_tenants(), target.keys.list_keys("acme")) == before


def test_interrupted_command_says_how_to_continue(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> Target:
        raise KeyboardInterrupt

    assert main(["tenant", "list"], open_target=interrupted) == ExitCode.INTERRUPTED
    assert "run it again to go on" in capsys.readouterr().err
