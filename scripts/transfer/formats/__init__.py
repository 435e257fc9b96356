"""The formats that can be imported, by the name of the system that writes them."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from scripts.transfer.formats import agentcore, langmem, letta, mem0, membus, zep
from scripts.transfer.rows import ImportRow, RejectedRow, SourceRecord, read_records

Convert = Callable[[SourceRecord], Iterable[ImportRow]]


def read_file(
    path: Path, *, convert: Convert, lists: tuple[str, ...], unless: str = ""
) -> Iterator[ImportRow]:
    for record in read_records(path, *lists, unless=unless):
        yield from [record] if isinstance(record, RejectedRow) else convert(record)


FORMATS: dict[str, Callable[[Path], Iterator[ImportRow]]] = {
    "membus": membus.read_archive,
    "mem0": partial(read_file, convert=mem0.convert, lists=mem0.LISTS),
    "zep": partial(read_file, convert=zep.convert, lists=zep.LISTS, unless="uuid"),
    "letta": partial(read_file, convert=letta.convert, lists=letta.LISTS),
    "langmem": partial(read_file, convert=langmem.convert, lists=langmem.LISTS),
    "agentcore": partial(read_file, convert=agentcore.convert, lists=agentcore.LISTS),
}
