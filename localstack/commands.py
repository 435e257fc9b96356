"""Runs the tools of a deployment with their output in a log, and shows the end of it where one fails."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from localstack.errors import StackError
from localstack.home import Home


def run_logged(
    name: str,
    command: Sequence[str | Path],
    *,
    home: Home,
    env: Mapping[str, str],
    cwd: Path,
    each_line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run `command`, its output in the log `name` and line by line to `each_line`; raise if it fails."""
    with (
        home.log(name).open("w") as log,
        subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as tool,
    ):
        try:
            for line in tool.stdout or ():
                log.write(line)
                log.flush()
                each_line(line.strip())
        except BaseException:
            _log_tail(tool)  # a stopped `up` leaves no tool at work
            raise
    if tool.returncode:
        raise StackError(f"{name} failed; the end of {home.log(name)}:\n{home.tail(name)}")


def _log_tail(tool: subprocess.Popen[str]) -> None:
    """End `tool` soon: the second word makes Terraform drop what it waits for, and end its provider too."""
    for _ in range(2):
        tool.terminate()
        with suppress(subprocess.TimeoutExpired):
            tool.wait(timeout=2)
            return
