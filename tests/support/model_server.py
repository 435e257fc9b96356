"""The local model server in this process, for whoever calls it over HTTP."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from localstack.model.app import create_app

START_SECONDS = 30


@contextmanager
def model_server() -> Iterator[str]:
    """Serve on a port of its own and yield the address."""
    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="critical", ws="none", lifespan="off"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()
