"""Shows what is going on: moving lines on a terminal, one plain line per finished step everywhere else."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

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
    def shown(self) -> Iterator["ProgressDisplay"]:
        if not self._console.is_terminal:
            yield self
            return
        with self._live:
            yield self

    @contextmanager
    def step(self, name: str, detail: str = "") -> Iterator[Callable[[str], None]]:
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

    def note(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _finish(self, task: TaskID, line: str) -> None:
        self._live.update(task, completed=1)
        if not self._console.is_terminal:
            with self._lock:
                self._console.print(line, highlight=False, markup=False, soft_wrap=True)
