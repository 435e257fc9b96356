""".ci/run: whatever happens in `make test` reaches the exit code, and pytest has the last word."""

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.build.project import ROOT


@pytest.mark.parametrize(
    ("closing", "code"),
    [
        ("===== 3 passed in 0.10s =====", 0),
        ("===== 1 failed in 0.10s =====", 1),
        ("===== no tests ran =====", 5),
    ],
)
def test_the_last_line_is_pytests_and_only_a_pass_succeeds(tmp_path: Path, closing: str, code: int) -> None:
    done = _run(tmp_path, f"@echo '{closing}'; exit {code}")

    assert done.stdout.splitlines()[-1] == closing
    assert (done.returncode == 0) is (code == 0)


def test_it_runs_from_anywhere_as_ci_and_without_input(tmp_path: Path) -> None:
    done = _run(tmp_path, '@echo "CI=$$CI in $$(basename "$$PWD")"; ! read -r line')

    assert done.stdout.splitlines()[-1] == "CI=true in clone"
    assert done.returncode == 0


def _run(folder: Path, recipe: str) -> subprocess.CompletedProcess[str]:
    clone = folder / "clone"
    (clone / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", clone / ".ci")
    (clone / "Makefile").write_text(f"SHELL := /bin/bash\ntest:\n\t{recipe}\n")
    run = [str(clone / ".ci" / "run")]
    return subprocess.run(
        run, cwd=folder, input="y\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
