"""Chooses loopback ports: the usual ones, free ones where those are taken."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def choose_ports(usual: Mapping[str, int]) -> dict[str, int]:
    """Return a port per name, each free a moment ago and none given twice; 0 asks for any free one."""
    with ExitStack() as held:
        return {name: _hold(held, port) for name, port in usual.items()}


def _hold(held: ExitStack, port: int) -> int:
    probe = held.enter_context(socket.socket())
    # As servers do: a port whose last connection is only winding down counts as free.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        probe.bind((LOOPBACK, 0))
    return int(probe.getsockname()[1])
