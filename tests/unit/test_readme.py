"""README.md: short, in its order, and with snippets that a shell and Python can read; tests/e2e runs them."""

import ast
import re
import subprocess

import pytest

from localstack.home import REPOSITORY
from tests.support.readme import README, Snippet, snippets

TARGETS = set(
    re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
)
SHELL = [each for each in snippets() if each.language == "sh"]


def test_readme_has_at_most_200_lines() -> None:
    assert len(README.splitlines()) <= 200


def test_every_snippet_says_its_language() -> None:
    assert {each.language for each in snippets()} == {"sh", "text"}


@pytest.mark.parametrize("snippet", SHELL, ids=lambda snippet: snippet.text.splitlines()[0][:40])
def test_a_shell_and_python_can_read_a_snippet(snippet: Snippet) -> None:
    checked = subprocess.run(
        ["/bin/bash", "-n"], input=snippet.text, capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stderr) == (0, "")
    for program in re.findall(r"<<'END'\n(.*?)^END$", snippet.text, flags=re.DOTALL | re.MULTILINE):
        ast.parse(program)


def test_every_make_target_that_is_named_exists() -> None:
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", README, flags=re.MULTILINE)) <= TARGETS
