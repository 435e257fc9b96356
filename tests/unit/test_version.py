"""membus: the package says which version it is, for archives that outlive it."""

import tomllib
from pathlib import Path

from membus import __version__


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())

    assert project["project"]["version"] == __version__
