"""requirements/: every lock is complete, hashed, and silent about where the packages come from."""

import re
from pathlib import Path

import pytest

from scripts.lock import FOLDER, LOCKS

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)

every_lock = pytest.mark.parametrize("name", sorted(LOCKS))


def test_every_list_by_hand_has_a_lock_and_the_other_way_round() -> None:
    assert {path.stem for path in FOLDER.glob("*.in")} == set(LOCKS)
    assert set(LOCKS) <= {path.stem for path in FOLDER.glob("*.txt")}


@every_lock
def test_every_line_is_a_pin_with_hashes_or_a_comment(name: str) -> None:
    lines = _lock(name).splitlines()

    assert [
        line for line in lines if not re.match(r"^(\s*#|    --hash=sha256:\w{64}|\S+==\S+ .*\\$)", line)
    ] == []


@every_lock
def test_every_pin_has_a_hash(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", _lock(name).strip())

    assert [
        block.splitlines()[0] for block in blocks if PIN.match(block) and "--hash=sha256:" not in block
    ] == []


@every_lock
def test_no_lock_says_where_packages_come_from(name: str) -> None:
    assert re.findall(r"https?:|git\+|file:|index-url|find-links|trusted-host", _lock(name)) == []


@every_lock
def test_every_direct_requirement_is_pinned(name: str) -> None:
    pinned = {_plain(found[1]) for found in PIN.finditer(_lock(name))}

    assert _direct(FOLDER / f"{name}.in") - pinned == set()


def test_development_runs_what_the_layer_deploys() -> None:
    developed, deployed = (dict(PIN.findall(_lock(name))) for name in ("dev", "layer"))

    assert {package: developed.get(package) for package in deployed} == deployed


def _lock(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text()


def _direct(listing: Path) -> set[str]:
    """The names in the list itself and in those it includes by `-r`."""
    lines = [line.split("#")[0].strip() for line in listing.read_text().splitlines()]
    included = [listing.with_name(line.removeprefix("-r").strip()) for line in lines if line.startswith("-r")]
    own = {_plain(re.split(r"[\[<>=!~; ]", line)[0]) for line in lines if line and not line.startswith("-")}
    return own.union(*map(_direct, included))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
