"""Runs the fast tests first and the local stack beside them.

`MEMBUS_STACK=<stack.json>` points at a running one.
"""

import os
from pathlib import Path

import hypothesis
import pytest

from localstack.home import Stack, read_environment
from tests.support.local_stack import HOMES, StackFailedError, TestRunStack, sweep

ORDER = ("unit", "contract", "terraform", "faults", "stateful", "integration", "e2e")
TESTS = Path(__file__).parent
hypothesis.settings.register_profile("membus", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("membus")
OWN = pytest.StashKey[TestRunStack]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OWN] = TestRunStack(HOMES, os.getpid())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "stack_file" in getattr(item, "fixturenames", ()):
            item.add_marker("stack")
    items.sort(
        key=lambda item: (_needs_stack(item), _place(item), item.get_closest_marker("outage") is not None)
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    if config.option.collectonly or _given_stack() or not any(map(_needs_stack, session.items)):
        return
    if hasattr(config, "workerinput"):
        raise pytest.UsageError(
            'the stack is one for all its tests: run them without -n, or leave out -m "stack"'
        )
    sweep(HOMES)
    config.stash[OWN].start()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[OWN].stop(keep_logs=exitstatus != pytest.ExitCode.OK)


@pytest.fixture(scope="session")
def stack_file(pytestconfig: pytest.Config) -> Path:
    """Return the stack.json of the deployed local stack, once all of it runs."""
    if given := _given_stack():
        return Path(given)
    try:
        return pytestconfig.stash[OWN].wait()
    except StackFailedError as failure:
        pytest.fail(str(failure), pytrace=False)


@pytest.fixture(scope="session")
def stack(stack_file: Path) -> Stack:
    return Stack.read(stack_file)


def _given_stack() -> str | None:
    return read_environment().get("MEMBUS_STACK")


def _needs_stack(item: pytest.Item) -> bool:
    return item.get_closest_marker("stack") is not None


def _place(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return ORDER.index(folder) if folder in ORDER else len(ORDER)
