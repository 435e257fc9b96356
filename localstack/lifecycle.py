"""`up`.

Starts what does not run, deploys what is not deployed, and leaves a stack that stack.json describes.

`down`: stops what this home started, whatever it spawned included, and forgets that life of the stack.

`status`: what of a stack runs and where; what crashed is named, with the end of its log.

Shows what is going on: moving lines on a terminal, one plain line per finished step everywhere else.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from localstack import running
from localstack.deploy import LocalDeployment
from localstack.home import Home
from localstack.parts import LOOPBACK, StackPart
from localstack.running import PARTS


def down(home: Home) -> list[str]:
    """Return the names of the parts that were there to stop."""
    stopped = [part.name for part in PARTS if running.stop(home, part)]
    home.delete_records()
    return stopped


_NAME_WIDTH = 11


class ProgressDisplay:
    """Steps may run side by side; each tells a detail about itself, the last one stays."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._live = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn(f"{{task.description:<{_NAME_WIDTH}}}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console,
        )

    @contextmanager
    def show_live(self) -> Iterator["ProgressDisplay"]:
        if not self._console.is_terminal:
            yield self
            return
        with self._live:
            yield self

    @contextmanager
    def run_step(self, name: str, detail: str = "") -> Iterator[Callable[[str], None]]:
        """Run one step; yield what takes its detail. A step that raises is never shown as done."""
        began, details = time.monotonic(), [detail]
        task = self._live.add_task(name, total=1, detail=detail)

        def tell(text: str) -> None:
            details.append(text)
            self._live.update(task, detail=text)

        yield tell
        self._finish(
            task, f"  {name:<{_NAME_WIDTH}} {time.monotonic() - began:6.1f} s  {details[-1]}".rstrip()
        )

    def print_note(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _finish(self, task: TaskID, line: str) -> None:
        self._live.update(task, completed=1)
        if not self._console.is_terminal:
            with self._lock:
                self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def up(home: Home, env: Mapping[str, str], steps: ProgressDisplay, *, usual_ports: bool = True) -> bool:
    """Bring the stack of `home` up; say whether there was anything to do."""
    home.create_folders()
    missing = [part for part in PARTS if not running.is_running(home, part)]
    for part in missing:
        if running.read_record(home, part):
            steps.print_note(str(running.CrashedError(part.name, home)))
    if PARTS[0] in missing:  # the emulator keeps nothing: everything begins anew with it
        down(home)
        home.move_logs_aside()
        home.create_folders()
        missing = list(PARTS)
    deployment = LocalDeployment(home, env, running.choose_ports(home, usual=usual_ports))
    current = deployment.is_current()
    if not missing and current:
        return False
    try:
        _bring_up(deployment, missing, steps, deploy=not current)
    except KeyboardInterrupt:
        for part in missing:
            running.stop(home, part)
        raise
    return True


def _bring_up(
    deployment: LocalDeployment, missing: Sequence[StackPart], steps: ProgressDisplay, *, deploy: bool
) -> None:
    cancelled = threading.Event()

    def begin(part: StackPart) -> None:
        port = deployment.ports[part.name]
        with steps.run_step(part.name, f"{LOOPBACK}:{port}"):
            running.start(deployment.home, part, port, deployment.env, cancelled)

    def run(name: str, work: Callable[[Callable[[str], None]], None]) -> None:
        with steps.run_step(name) as tell:
            work(tell)

    jobs = [partial(begin, part) for part in missing]
    if deploy:
        jobs += [
            partial(run, "build", deployment.build_artifacts),
            partial(run, "init", deployment.init_terraform),
        ]
    _run_in_parallel(jobs, cancelled)
    if deploy:
        run("deploy", deployment.apply_terraform)
        run("tenant", deployment.create_tenant_and_key)


def _run_in_parallel(jobs: Sequence[Callable[[], None]], cancelled: threading.Event) -> None:
    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        try:
            for done in as_completed([pool.submit(job) for job in jobs]):
                done.result()
        except BaseException:
            cancelled.set()  # or leaving the pool would wait for parts that start in vain
            raise


def is_whole(home: Home) -> bool:
    return home.stack_file.exists() and all(running.is_running(home, part) for part in PARTS)


def describe(home: Home) -> str:
    lines = [_part_line(home, part) for part in PARTS]
    lines.append(f"  {'deployed':<10} {home.stack_file if home.stack_file.exists() else 'no'}")
    crashed = [
        part.name for part in PARTS if running.read_record(home, part) and not running.is_running(home, part)
    ]
    return "\n".join([*lines, *(str(running.CrashedError(name, home)) for name in crashed)])


def _part_line(home: Home, part: StackPart) -> str:
    record = running.read_record(home, part)
    if record is None:
        return f"  {part.name:<10} not running"
    state = "running" if running.is_running(home, part) else "CRASHED"
    return f"  {part.name:<10} {state:<8} {LOOPBACK}:{record.port:<6} pid {record.process.pid:<8} {home.log_file(part.name)}"
