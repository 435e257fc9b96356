"""Vectors on their way to pgvector: as `halfvec` in its binary form, a thousand numbers in microseconds."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format


@dataclass(frozen=True)
class HalfVector:
    """A parameter for `%(…)s::halfvec`.

    The cast tells the server the type, whose number differs by database.
    """

    values: Sequence[float]


class HalfVectorDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: HalfVector) -> Buffer:
        dimensions = len(obj.values)
        return struct.pack(f">Hh{dimensions}e", dimensions, 0, *obj.values)
