"""Runs the fast tests first and the local stack beside them, in one process or on several workers (`-n`).

`MEMBUS_STACK=<stack.json>` points at a running stack.
`MEMBUS_TESTS=nightly` runs everything (`make nightly`).
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from localstack.home import Stack, read_environment
from membus.aws import clients
from tests.support.budgets import NIGHTLY, budget
from tests.support.local_stack import HOMES, StackFailedError, TestRunStack, sweep
from tests.support.workers import RunFiles, ScopeScheduling, folder_of, is_outage, mix, needs_stack

ORDER = ("unit", "contract", "faults", "stateful", "integration", "e2e")
# Of the tests that use the stack, those that take longest come first, so that no worker ends up alone with
# them.
LONG = ("test_erasure.py", "test_archive.py", "test_facts_writes.py", "test_chat.py", "test_socket.py")
OWN = pytest.StashKey[TestRunStack]()
FILES = pytest.StashKey[RunFiles]()
# No deadline: a busy machine is no fault of the code.
hypothesis.settings.register_profile("membus", deadline=None, max_examples=budget(30, nightly=100))
hypothesis.settings.load_profile("membus")


def pytest_configure(config: pytest.Config) -> None:
    run = getattr(config, "workerinput", {}).get("membus_run", os.getpid())
    config.stash[OWN], config.stash[FILES] = TestRunStack(HOMES, run), RunFiles(HOMES / f"{run}" / "tests")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["membus_run"] = os.getpid()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ScopeScheduling:
    return ScopeScheduling(config, log, config.stash[FILES])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    if node.config.stash[FILES].read_needs_stack():
        _start_stack(node.config)


def pytest_itemcollected(item: pytest.Item) -> None:
    if "stack_file" in getattr(item, "fixturenames", ()):
        item.add_marker("stack")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not NIGHTLY:
        config.hook.pytest_deselected(items=[item for item in items if _is_nightly(item)])
        items[:] = [item for item in items if not _is_nightly(item)]
    items.sort(
        key=lambda item: (needs_stack(item), is_outage(item), item.path.name not in LONG, _place(item))
    )
    if _is_worker(config):
        items[:] = mix(items)


@pytest.hookimpl(tryfirst=True)  # before the worker reports to the process that started it
def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    if _is_worker(config):
        config.stash[FILES].write_plan(session.items)
    elif any(map(needs_stack, session.items)) and not config.option.collectonly:
        _start_stack(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    files = item.config.stash[FILES]
    if not _is_worker(item.config):
        return (yield)
    if is_outage(item):
        files.wait_for_others()
    result = yield
    files.count_done(item)
    return result


@pytest.hookimpl(trylast=True)  # when the workers are gone
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if not _is_worker(session.config):
        session.config.stash[OWN].stop(keep_logs=exitstatus != pytest.ExitCode.OK)


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Restore the process's variables: an operator's command points boto3 at its stack by them."""
    environment = os.environ  # noqa: TID251 - what a command set there, no other test may find
    before = dict(environment)
    yield
    if environment != before:
        environment.clear()
        environment.update(before)
        clients.forget_clients()


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


def _start_stack(config: pytest.Config) -> None:
    if not _given_stack():
        sweep(HOMES)
        config.stash[OWN].start()


def _given_stack() -> str | None:
    return read_environment().get("MEMBUS_STACK")


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _is_nightly(item: pytest.Item) -> bool:
    return item.get_closest_marker("nightly") is not None


def _place(item: pytest.Item) -> int:
    return ORDER.index(folder_of(item)) if folder_of(item) in ORDER else len(ORDER)
