"""scripts/build: the same sources give the same bytes, made once, whole or not at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.build import BuildError
from scripts.build.artifacts import ZipSize, check_budgets, remake
from scripts.build.packages import HOST, LAMBDA, BuildTarget
from scripts.build.project import ROOT, build
from tests.integration.build_project import digests, write_small_project

BUILD = "from pathlib import Path; from scripts.build.project import build; from scripts.build.packages import HOST;"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_small_project(tmp_path / "project")


@pytest.mark.parametrize("target", [LAMBDA, HOST], ids=lambda target: target.name)
def test_the_same_sources_give_the_same_bytes_whatever_the_clock_and_umask(
    project: Path, tmp_path: Path, target: BuildTarget
) -> None:
    build(target, root=project, dist=tmp_path / "one")

    again = write_small_project(tmp_path / "elsewhere" / "checkout")
    for path in again.rglob("*"):
        os.utime(path, (0, 0))
    before = os.umask(0o077)
    try:
        build(target, root=again, dist=tmp_path / "two")
    finally:
        os.umask(before)

    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert len(digests(tmp_path / "one")) == 5


def test_the_real_layers_are_the_same_when_built_from_nothing(tmp_path: Path) -> None:
    build(LAMBDA, dist=ROOT / "dist")
    build(LAMBDA, dist=tmp_path)

    assert digests(tmp_path / "lambda") == digests(ROOT / "dist" / "lambda")


def test_a_second_build_makes_nothing(project: Path, tmp_path: Path) -> None:
    made = build(HOST, root=project, dist=tmp_path / "dist")

    assert [path.name for path in made] == [
        "greet.zip",
        "membus.zip",
        "membus.cdx.json",
        "duckdb.zip",
        "duckdb.cdx.json",
    ]
    assert build(HOST, root=project, dist=tmp_path / "dist") == []


def test_a_change_remakes_what_contains_it_and_nothing_else(project: Path, tmp_path: Path) -> None:
    build(HOST, root=project, dist=tmp_path)

    (project / "layers/membus/python/membus/__init__.py").write_text('word = "good day"\n')
    assert [path.name for path in build(HOST, root=project, dist=tmp_path)] == ["membus.zip"]
    (project / "functions/greet/handler.py").write_text("handler = print\n")
    assert [path.name for path in build(HOST, root=project, dist=tmp_path)] == ["greet.zip"]


def test_a_damaged_zip_is_made_anew(project: Path, tmp_path: Path) -> None:
    build(HOST, root=project, dist=tmp_path)
    whole = digests(tmp_path)

    (tmp_path / "host/layers/membus.zip").write_bytes(b"PK")

    assert [path.name for path in build(HOST, root=project, dist=tmp_path)] == ["membus.zip"]
    assert digests(tmp_path) == whole


def test_the_zip_of_a_removed_function_goes_with_it(project: Path, tmp_path: Path) -> None:
    build(HOST, root=project, dist=tmp_path)

    (project / "functions/greet/handler.py").unlink()
    build(HOST, root=project, dist=tmp_path)

    assert not (tmp_path / "host/functions/greet.zip").exists()


def test_a_function_zip_keeps_the_path_and_leaves_out_what_tools_left_behind(
    project: Path, tmp_path: Path
) -> None:
    for litter in ("__pycache__/handler.cpython-311.pyc", ".handler.py.swp"):
        path = project / "functions/greet" / litter
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"litter")

    build(LAMBDA, root=project, dist=tmp_path)

    with ZipFile(tmp_path / "lambda/functions/greet.zip") as archive:
        assert archive.namelist() == [
            "functions/",
            "functions/greet/",
            "functions/greet/handler.py",
            "functions/greet/reply.json",
        ]


def test_an_interrupted_write_leaves_the_last_whole_file(tmp_path: Path) -> None:
    artifact = tmp_path / "layer.zip"
    remake(artifact, inputs="old", write=lambda to: to.write_text("old and whole"))

    def interrupted(to: Path) -> None:
        to.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remake(artifact, inputs="new", write=interrupted)

    assert artifact.read_text() == "old and whole"
    assert not list(tmp_path.glob("*.partial"))
    assert not remake(artifact, inputs="old", write=lambda to: to.write_text("again"))


def test_a_killed_build_leaves_nothing_that_the_next_one_trips_over(project: Path, tmp_path: Path) -> None:
    build(HOST, root=project, dist=tmp_path / "whole")
    dist = tmp_path / "killed"
    with _started(project, dist) as first:
        while not (dist / "host/.packages").exists():
            assert first.poll() is None
        first.send_signal(signal.SIGKILL)

    build(HOST, root=project, dist=dist)

    assert digests(dist) == digests(tmp_path / "whole")
    assert len(list((dist / "host/.packages").iterdir())) == 2


def test_two_builds_at_once_wait_for_each_other(project: Path, tmp_path: Path) -> None:
    build(HOST, root=project, dist=tmp_path / "alone")

    dist = tmp_path / "shared"
    with _started(project, dist) as first, _started(project, dist) as second:
        assert (first.wait(), second.wait()) == (0, 0)

    assert digests(dist) == digests(tmp_path / "alone")


def _started(project: Path, dist: Path) -> subprocess.Popen[bytes]:
    call = f"{BUILD} build(HOST, root=Path({str(project)!r}), dist=Path({str(dist)!r}))"
    return subprocess.Popen([sys.executable, "-c", call], cwd=ROOT, stderr=subprocess.DEVNULL)


def test_a_package_without_a_wheel_is_named_with_what_to_do(project: Path, tmp_path: Path) -> None:
    (project / "requirements/layer.txt").write_text(f"six==0.0.1 \\\n    --hash=sha256:{'0' * 64}\n")

    with pytest.raises(BuildError) as stopped:
        build(LAMBDA, root=project, dist=tmp_path)

    message = str(stopped.value)
    assert "the packages of layer.txt are not available for AWS Lambda, arm64, Python 3.13" in message
    assert "six==0.0.1" in message
    assert "pin a version that has one in layer.in" in message


def test_what_is_over_budget_is_named_and_refused() -> None:
    fits = ZipSize("functions/small.zip", zipped=0.1, unzipped=0.2, budget=1)
    heavy = ZipSize("layers/heavy.zip", zipped=20, unzipped=61.5, budget=60)
    bulky = ZipSize("layers/bulky.zip", zipped=51, unzipped=59, budget=60)

    together = ZipSize("all layers", zipped=51, unzipped=59, budget=60, is_upload=False)

    check_budgets([fits, together])
    with pytest.raises(BuildError) as stopped:
        check_budgets([fits, heavy, bulky])

    assert "layers/heavy.zip weighs 61.50 MB unzipped, its budget is 60.0 MB" in str(stopped.value)
    assert "layers/bulky.zip weighs 51.00 MB zipped" in str(stopped.value)
    assert "small" not in str(stopped.value)
