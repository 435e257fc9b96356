"""The formats that can be imported, by the name of the system that writes them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from scripts.transfer.formats import agentcore, langmem, letta, mem0, membus, zep
from scripts.transfer.rows import ImportRow

FORMATS: dict[str, Callable[[Path], Iterator[ImportRow]]] = {
    "membus": membus.read,
    "mem0": mem0.read,
    "zep": zep.read,
    "letta": letta.read,
    "langmem": langmem.read,
    "agentcore": agentcore.read,
}
