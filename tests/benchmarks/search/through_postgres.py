"""A conversation in a real PostgreSQL, and its questions answered from there."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from membus.aws.postgres import TenantTransactions
from membus.search.model import memory_scope
from membus.search.postgres.store import PostgresMemories
from membus.search.ranking import rank_passages
from membus.search.retrieval import SearchScope
from tests.benchmarks.search.data import ASKED, TENANT, Case, found_ids
from tests.benchmarks.search.measure import KS, measured
from tests.benchmarks.search.samples import Sample
from tests.benchmarks.search.vectors import KeptVectors, Vectors
from tests.benchmarks.table import Table
from tests.integration.databases import migrated_database, postgres

BATCH, SHOWN = 100, 20
DIMENSIONS = 1024


def parity(case: Case, samples: Sequence[Sample], vectors: KeptVectors) -> Table:
    """Return the recall in memory and in PostgreSQL, and the number of equal first tens."""
    here = [_ids(sample) for sample in samples]
    there = _from_postgres(case, samples, vectors)
    same = sum(one[:10] == other[:10] for one, other in zip(here, there, strict=True))
    rows = []
    for name, found in (("in memory", here), ("PostgreSQL", there)):
        recalls = [
            measured(case, sample.question, name, ids).recall
            for sample, ids in zip(samples, found, strict=True)
        ]
        rows.append([name, *(f"{sum(recall[k] for recall in recalls) / len(recalls):.4f}" for k in KS)])
    title = (
        f"{case.set} {case.id} through PostgreSQL: {same} of {len(samples)} first tens are the same, in order"
    )
    return Table(title, ("run", *(f"@{k}" for k in KS)), rows)


def _ids(sample: Sample) -> list[str]:
    ranked = rank_passages(sample.query, sample.rows, sample.scope, limit=SHOWN)
    return found_ids(each.row.group_id for each in ranked)


def _from_postgres(case: Case, samples: Sequence[Sample], vectors: KeptVectors) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as server, ExitStack() as opened:
        database = migrated_database(server)
        transactions = TenantTransactions(lambda: opened.enter_context(database.open(database.functions)))
        index = PostgresMemories(transactions, model="bench")
        _fill(index, case, vectors)
        asked = vectors.embed_texts([sample.query.text for sample in samples])
        return [
            _asked(index, case, sample, vector)
            for sample, vector in zip(samples, _padded(asked), strict=True)
        ]


def _fill(index: PostgresMemories, case: Case, vectors: KeptVectors) -> None:
    entries = case.entries()
    for start in range(0, len(entries), BATCH):
        index.put(TENANT, entries[start : start + BATCH])
    texts = [passage.embedded_text for entry in entries for passage in entry.passages]
    by_text = dict(zip(texts, _padded(vectors.embed_texts(texts)), strict=True))
    for start in range(0, len(by_text), BATCH):
        index.attach_vectors(TENANT, dict(list(by_text.items())[start : start + BATCH]))


def _asked(index: PostgresMemories, case: Case, sample: Sample, vector: list[float]) -> list[str]:
    within = SearchScope(tenant_id=TENANT, now=ASKED, scope=memory_scope(case.user, None))
    found = index.search(within, terms=sample.query.terms, vector=vector)
    ranked = rank_passages(
        sample.query, found.rows, found.scope, limit=SHOWN, may_answer=lambda row: row.id in found.about
    )
    return found_ids(each.row.group_id for each in ranked)


def _padded(vectors: Vectors) -> list[list[float]]:
    """Return the vectors in the width of the column, as the local stack's embedder pads them."""
    padded: list[list[float]] = np.pad(vectors, ((0, 0), (0, DIMENSIONS - vectors.shape[1]))).tolist()
    return padded
