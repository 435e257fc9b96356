"""`up`, `down` and `status` of a stack, and the display of their progress."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from localstack import running
from localstack.deploy import LocalDeployment, Report
from localstack.home import Home
from localstack.parts import LOOPBACK, StackPart
from localstack.running import PARTS

_NAME_WIDTH = 11


class ProgressDisplay:
    """Shows steps, also side by side: live lines on a terminal, one line for each finished step elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
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
    def run_step(self, name: str, detail: str = "") -> Iterator[Report]:
        """Run one step; what it yields changes its detail. A step that raises is not shown as done."""
        began, details = time.monotonic(), [detail]
        task = self._live.add_task(name, total=1, detail=detail)

        def report(text: str) -> None:
            details.append(text)
            self._live.update(task, detail=text)

        yield report
        self._live.update(task, completed=1)
        if not self._console.is_terminal:
            seconds = time.monotonic() - began
            self.print_note(f"  {name:<{_NAME_WIDTH}} {seconds:6.1f} s  {details[-1]}".rstrip())

    def print_note(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def up(home: Home, env: Mapping[str, str], steps: ProgressDisplay, *, usual_ports: bool = True) -> bool:
    """Start and deploy what is missing; say whether anything was."""
    home.create_folders()
    missing = [part for part in PARTS if not running.is_running(home, part)]
    for part in missing:
        if running.read_record(home, part):
            steps.print_note(str(running.CrashedError(part.name, home)))
    if PARTS[0] in missing:  # the emulator keeps nothing: without it the stack begins anew
        down(home, steps)
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
        _stop_parts(home, missing, steps)
        raise
    return True


def _bring_up(
    deployment: LocalDeployment, missing: Sequence[StackPart], steps: ProgressDisplay, *, deploy: bool
) -> None:
    cancelled = threading.Event()

    def start(part: StackPart) -> None:
        port = deployment.ports[part.name]
        with steps.run_step(part.name, f"{LOOPBACK}:{port}"):
            running.start(deployment.home, part, port, deployment.env, cancelled)

    def run(name: str, work: Callable[[Report], None]) -> None:
        with steps.run_step(name) as report:
            work(report)

    jobs = [partial(start, part) for part in missing]
    if deploy:
        jobs += [
            partial(run, "build", deployment.build_artifacts),
            partial(run, "init", deployment.init_terraform),
        ]
    _run_in_parallel(jobs, cancelled)
    if deploy:
        run("deploy", deployment.apply_terraform)
        run("tenant", deployment.create_tenant_and_key)


def down(home: Home, steps: ProgressDisplay | None = None) -> list[str]:
    """Stop every part side by side and delete the data; return the names of the parts that were recorded."""
    recorded = [part for part in PARTS if running.read_record(home, part)]
    if not recorded:
        home.delete_records()
        return []
    steps = steps or ProgressDisplay(Console(quiet=True))
    _stop_parts(home, recorded, steps)
    with steps.run_step("data", "deleting") as report:
        report("deleted" if home.delete_records() else "being deleted in the background")
    return [part.name for part in recorded]


def _stop_parts(home: Home, parts: Sequence[StackPart], steps: ProgressDisplay) -> None:
    def stop(part: StackPart) -> None:
        with steps.run_step(part.name, "stopping") as report:
            running.stop(home, part)
            report("stopped")

    _run_in_parallel([partial(stop, part) for part in parts], threading.Event())


def _run_in_parallel(jobs: Sequence[Callable[[], None]], cancelled: threading.Event) -> None:
    with ThreadPoolExecutor(max_workers=len(jobs) or 1) as pool:
        try:
            for done in as_completed([pool.submit(job) for job in jobs]):
                done.result()
        except BaseException:
            cancelled.set()  # otherwise leaving the pool would wait for parts that start in vain
            raise


def is_whole(home: Home) -> bool:
    return home.stack_file.exists() and all(running.is_running(home, part) for part in PARTS)


def describe(home: Home) -> str:
    """Return a line for each part and for the deployment, then the ends of the logs of crashed parts."""
    lines, crashes = [], []
    for part in PARTS:
        record = running.read_record(home, part)
        if record is None:
            lines.append(f"  {part.name:<10} not running")
            continue
        state = "running" if running.is_running(home, part) else "CRASHED"
        process = f"{LOOPBACK}:{record.port:<6} pid {record.process.pid:<8} {home.log_file(part.name)}"
        lines.append(f"  {part.name:<10} {state:<8} {process}")
        if state == "CRASHED":
            crashes.append(str(running.CrashedError(part.name, home)))
    lines.append(f"  {'deployed':<10} {home.stack_file if home.stack_file.exists() else 'no'}")
    return "\n".join(lines + crashes)
