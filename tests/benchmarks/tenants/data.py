"""Memories of many tenants of very different sizes, in a migrated Postgres."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg

from membus.aws.postgres import HalfVector, HalfVectorDumper
from tests.factories import NOON
from tests.integration.databases import Database, migrated_database

K, TOPICS, MESSAGES, CHUNK = 10, 400, 25, 20_000
FIRST = NOON - timedelta(days=3_000)
WORDS = [f"word{number}" for number in range(2000)]
MEMORIES = """
    COPY membus.memories (
        tenant_id, scope, id, group_id, part, kind, text, embedded_text, content_hash, stems, length,
        message_length, session, occurred_at, version
    ) FROM STDIN
"""
VECTORS = """
    COPY membus.vectors (tenant_id, model, id, scope, content_hash, embedding, kind, session, occurred_at)
    FROM STDIN (FORMAT BINARY)
"""
TYPES = ("text", "text", "text", "text", "text", "bytea", "text", "text", "timestamptz")
Vectors = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Size:
    rows: int = 20_000
    tenants: int = 200
    dimensions: int = 1024
    queries: int = 300


class TenantRows:
    """Rows of many tenants; `owners` has the tenant of each: the second has half as many as the first."""

    def __init__(self, size: Size) -> None:
        self.size, self._chance = size, np.random.default_rng(20261120)
        shares = 1 / np.arange(1, size.tenants + 1)
        self.owners = self._chance.choice(size.tenants, size.rows, p=shares / shares.sum())
        self._topics = _unit(self._chance.standard_normal((TOPICS, size.dimensions)))
        self.vectors = np.concatenate([self._clustered(len(part)) for part in _chunks(size.rows)])

    def make_queries(self) -> list[tuple[int, Vectors]]:
        """Return tenants with queries, each near to one of the tenant's rows."""
        rows = self._chance.integers(self.size.rows, size=self.size.queries)
        noise = _unit(self._chance.standard_normal((self.size.queries, self.size.dimensions)))
        return list(zip(self.owners[rows].tolist(), _unit(self.vectors[rows] + 0.5 * noise), strict=True))

    def find_nearest(self, owner: int, query: Vectors) -> set[str]:
        """Return the nearest rows of the tenant by vectors of half precision, as Postgres stores them."""
        mine = np.flatnonzero(self.owners == owner)
        best = mine[np.argsort(-(_half(self.vectors[mine]) @ _half(query)), kind="stable")[:K]]
        return {f"m{row}" for row in best}

    def fill_database(self, server: Database) -> Database:
        database, places = migrated_database(server), self._list_places()
        with database.open(database.superuser) as connection:
            for part in _chunks(self.size.rows):
                self._copy(connection, part, places)
            connection.execute("VACUUM ANALYZE membus.memories, membus.vectors")
        return database

    def _copy(
        self, connection: psycopg.Connection[Any], part: Sequence[int], places: Sequence[tuple[str, datetime]]
    ) -> None:
        with connection.cursor() as cursor, cursor.copy(MEMORIES) as copy:
            for row, words in zip(part, self._chance.choice(WORDS, (len(part), 20)), strict=True):
                text = " ".join(words)
                copy.write_row(
                    (
                        f"t{self.owners[row]}",
                        "U#u",
                        f"m{row}",
                        f"m{row}",
                        0,
                        "episode",
                        text,
                        text,
                        f"h{row}",
                        text,
                        20,
                        20,
                        *places[row],
                        1,
                    )
                )
        dumper = HalfVectorDumper(HalfVector)
        with connection.cursor() as cursor, cursor.copy(VECTORS) as copy:
            copy.set_types(TYPES)
            for row in part:
                vector = bytes(dumper.dump(HalfVector(self.vectors[row].tolist())))
                copy.write_row(
                    (
                        f"t{self.owners[row]}",
                        "bench",
                        f"m{row}",
                        "U#u",
                        f"h{row}",
                        vector,
                        "episode",
                        *places[row],
                    )
                )

    def _list_places(self) -> list[tuple[str, datetime]]:
        """Return session and moment of each row: sessions of 25 messages, a minute apart."""
        counts: Counter[int] = Counter()
        places: list[tuple[str, datetime]] = []
        for owner in self.owners:
            session, minute = divmod(counts[owner], MESSAGES)
            places.append((f"s{session}", FIRST + timedelta(hours=session, minutes=minute)))
            counts[owner] += 1
        return places

    def _clustered(self, rows: int) -> Vectors:
        """Return vectors that cluster around topics, as those of texts do."""
        noise = _unit(self._chance.standard_normal((rows, self.size.dimensions)))
        return _unit(self._topics[self._chance.integers(TOPICS, size=rows)] + 0.8 * noise)


def _chunks(rows: int) -> Iterator[range]:
    return (range(start, min(start + CHUNK, rows)) for start in range(0, rows, CHUNK))


def _unit(vectors: Any) -> Vectors:
    units: Vectors = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return units


def _half(vectors: Vectors) -> Vectors:
    return _unit(vectors.astype(np.float16).astype(np.float32))
