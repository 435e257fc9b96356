"""Parts of the stack under test, taken away for a while: stopped for good and started again on their data."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from localstack import running
from localstack.home import Home, read_environment

REFUSED = "[[bus:refused]]"
"""An event that says this is refused by the bus, entry by entry, for as long as it is narrow."""


@contextmanager
def away(stack_file: Path, name: str) -> Iterator[None]:
    """Stop the part `name`, and start it again where it was, whatever becomes of the test."""
    home, part = Home(stack_file.parent), next(part for part in running.PARTS if part.name == name)
    record = running.read_record(home, part)
    assert record, f"{name} does not run"
    running.stop(home, part)
    try:
        yield
    finally:
        running.start(home, part, record.port, read_environment(), threading.Event())


class NarrowBus:
    """Stands before the bus.

    Throttles its first call whole, and refuses entries that ask for it while it is narrow.

    All else goes on to the emulator, and its answer back.
    """

    def __init__(self, events: Any) -> None:
        self._events = events
        self.throttled = 0
        self.narrow = True

    def answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        if not self.throttled:
            self.throttled = 1
            return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        entries = json.loads(body)["Entries"]
        refused = [self.narrow and REFUSED in entry["Detail"] for entry in entries]
        taken = [entry for entry, no in zip(entries, refused, strict=True) if not no]
        answers = iter(self._events.put_events(Entries=taken)["Entries"] if taken else ())
        told = [{"ErrorCode": "ThrottlingException"} if no else next(answers) for no in refused]
        return 200, {"FailedEntryCount": sum(refused), "Entries": told}


@contextmanager
def narrow_bus(aws: Callable[[str], Any], function: str) -> Iterator[NarrowBus]:
    """Put a narrow bus between `function` and the emulator's."""
    bus = NarrowBus(aws("events"))

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = bus.answer(body)
            said = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing: the test tells what came of it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with told(aws, function, AWS_ENDPOINT_URL_EVENTBRIDGE=f"http://127.0.0.1:{server.server_port}"):
            yield bus
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def told(aws: Callable[[str], Any], function: str, **settings: str) -> Iterator[None]:
    """Tell a function something else for a while; its environments start anew, before and after."""
    functions = aws("lambda")
    usual = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    try:
        functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": usual | settings}
        )
        yield
    finally:
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": usual})
