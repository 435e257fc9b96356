"""Spreads one run of the tests over several workers of pytest-xdist.

Each worker takes whole scopes: the tests of a file, which share its fixtures, or of an `xdist_group`. Tests
of the stack lie between tests that need the processor, since they mostly wait.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parents[1]
_LONG = ("faults", "stateful")  # their tests take seconds each and share nothing
_PATIENCE_SECONDS = 300
_POLL_SECONDS = 0.2
_PREFETCHED = 1  # a worker begins a test only when it knows the next one


def needs_stack(item: pytest.Item) -> bool:
    return item.get_closest_marker("stack") is not None


def is_outage(item: pytest.Item) -> bool:
    return item.get_closest_marker("outage") is not None


def folder_of(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def scope_of(item: pytest.Item) -> str:
    """Return the name of what one worker runs as a whole."""
    if is_outage(item):
        return "outage"
    if group := item.get_closest_marker("xdist_group"):
        return str(group.args[0])
    if folder_of(item) in _LONG:
        return item.nodeid
    return f"{item.path.relative_to(TESTS)}{', stack' if needs_stack(item) else ''}"


def mix(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Order sorted tests for several workers: units, then all others evenly mixed, outages last."""
    units = [item for item in items if folder_of(item) == "unit"]
    last = [item for item in items if is_outage(item)]
    others = [item for item in items if folder_of(item) != "unit" and not is_outage(item)]
    scopes = [_scopes(filter(needs_stack, others)), _scopes(item for item in others if not needs_stack(item))]
    places = [((place + 1) / len(each), scope) for each in scopes for place, scope in enumerate(each)]
    mixed = [item for _, scope in sorted(places, key=lambda placed: placed[0]) for item in scope]
    return [*units, *mixed, *last]


def _scopes(items: Iterator[pytest.Item]) -> list[list[pytest.Item]]:
    scopes: dict[str, list[pytest.Item]] = {}
    for item in items:
        scopes.setdefault(scope_of(item), []).append(item)
    return list(scopes.values())


class RunFiles:
    """Files by which the processes of one run tell each other what was collected and what is done."""

    def __init__(self, folder: Path) -> None:
        self._plan, self._done = folder / "plan.json", folder / "done"
        self._to_wait_for = 0

    def write_plan(self, items: Sequence[pytest.Item]) -> None:
        """Write the scope of each test; every worker collects, and writes, the same."""
        self._to_wait_for = sum(map(_counts, items))
        self._plan.parent.mkdir(parents=True, exist_ok=True)
        mine = self._plan.with_suffix(f".{os.getpid()}")
        scopes = {item.nodeid: scope_of(item) for item in items}
        mine.write_text(json.dumps({"needs_stack": any(map(needs_stack, items)), "scopes": scopes}))
        mine.replace(self._plan)

    def read_needs_stack(self) -> bool:
        return bool(json.loads(self._plan.read_text())["needs_stack"])

    def read_scopes(self) -> dict[str, str]:
        scopes: dict[str, str] = json.loads(self._plan.read_text())["scopes"]
        return scopes

    def count_done(self, item: pytest.Item) -> None:
        if _counts(item):
            with self._done.open("ab") as file:
                file.write(b".")

    def wait_for_others(self) -> None:
        """Return once every test that an outage would disturb is done, or when patience ends."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._read_done() < self._to_wait_for and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def _read_done(self) -> int:
        return self._done.stat().st_size if self._done.exists() else 0


def _counts(item: pytest.Item) -> bool:
    return needs_stack(item) and not is_outage(item)


class ScopeScheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist carries no types
    """Hands out whole scopes in the order of the collection, each as late as a worker can take it."""

    def __init__(self, config: pytest.Config, log: Any, files: RunFiles) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._files, self._scopes = files, dict[str, str]()

    def schedule(self) -> None:
        self._scopes = self._files.read_scopes()
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._scopes[nodeid]

    def _reschedule(self, node: Any) -> None:
        if not self.workqueue or self._pending_of(self.assigned_work[node]) <= _PREFETCHED:
            super()._reschedule(node)
