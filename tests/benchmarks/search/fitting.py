"""Fits the weights: maximises the likelihood that evidence ranks above all other messages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.search.samples import Matrix, Sample

EPOCHS = 150
ROUNDS = 3  # the best passage of a message depends on the weights: choose, fit, choose again
RIVALS = 120  # messages kept of each question: those ranked below never come near the first twenty
STEP = 0.1
NEWTON = 10
SHRINK = 1e-3  # 1e-4 to 1e-2 move no set's recall on the other half by more than its noise


@dataclass(frozen=True)
class Batch:
    """The best rows of each question's best messages in one block: an epoch is three matrix products."""

    rows: NDArray[np.float32]
    gold: NDArray[np.float32]
    others: NDArray[np.float32]
    shares: NDArray[np.float32]


def fit(samples: Sequence[Sample], start: Matrix) -> Matrix:
    """Return a weight for each column; `start` chooses the first best rows."""
    weights = start
    for _ in range(ROUNDS):
        weights = _descend(_batch(samples, weights))
    return weights


def calibrate(samples: Sequence[Sample], weights: Matrix) -> tuple[float, float]:
    """Return slope and midpoint that turn a score into the log odds of being evidence (Platt's scaling)."""
    scores, labels = [], []
    for sample in samples:
        of_rows = sample.columns @ weights
        of_messages = of_rows[best_rows(sample, of_rows)]
        near = np.argsort(-of_messages)[:RIVALS]
        scores.append(of_messages[near])
        labels.append(np.isin(near, sample.gold))
    value, label = np.concatenate(scores), np.concatenate(labels).astype(float)
    centre, spread = value.mean(), value.std()
    design = np.stack([(value - centre) / spread, np.ones(len(value))])
    line = np.zeros(2)
    for _ in range(NEWTON):
        chance = 1 / (1 + np.exp(-line @ design))
        line += np.linalg.solve((design * (chance * (1 - chance))) @ design.T, design @ (label - chance))
    slope = line[0] / spread
    return float(slope), float(centre - line[1] / slope)


def best_rows(sample: Sample, scores: Matrix) -> NDArray[np.int64]:
    """Return for each message the index of its best row."""
    order = np.argsort(scores, kind="stable")
    best = np.zeros(int(sample.message.max()) + 1, np.int64)
    best[sample.message[order]] = order
    return best


def _batch(samples: Sequence[Sample], weights: Matrix) -> Batch:
    """Weigh kinds of conversation alike (LoCoMo, BEAM), and within them every question."""
    kinds = Counter(sample.kind for sample in samples)
    shape = (len(samples), RIVALS)
    rows = np.zeros((*shape, len(weights)), np.float32)
    gold, others = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for number, sample in enumerate(samples):
        scores = sample.columns @ weights
        best = best_rows(sample, scores)
        rank = -scores[best]
        rank[sample.gold] -= 1e6  # evidence is always kept
        kept = np.argsort(rank, kind="stable")[:RIVALS]
        rows[number, : len(kept)] = sample.columns[best[kept]]
        gold[number, : len(kept)] = np.isin(kept, sample.gold)
        others[number, : len(kept)] = ~np.isin(kept, sample.gold)
    shares = np.array([1 / (kinds[s.kind] * len(kinds) * max(1, len(s.gold))) for s in samples], np.float32)
    return Batch(rows, gold, others, shares)


def _descend(batch: Batch) -> Matrix:
    """Follow the slope by Adam."""
    count = batch.rows.shape[2]
    weights, slow, fast = np.zeros(count), np.zeros(count), np.zeros(count)
    for epoch in range(1, EPOCHS + 1):
        slope = _slope(batch, weights) + SHRINK * weights
        slow, fast = 0.9 * slow + 0.1 * slope, 0.99 * fast + 0.01 * slope**2
        step = STEP * min(1.0, 3 * (1 - epoch / (EPOCHS + 1)))
        weights = weights - step * (slow / (1 - 0.9**epoch)) / (np.sqrt(fast / (1 - 0.99**epoch)) + 1e-8)
    return weights


def _slope(batch: Batch, weights: Matrix) -> Matrix:
    """Differentiate -log(e^gold / (e^gold + Σ e^others)), averaged over each question's gold messages."""
    scores = batch.rows @ weights.astype(np.float32)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    rivals = odds * batch.others
    mass = rivals.sum(axis=1, keepdims=True)
    lost = batch.gold * mass / (odds + mass + 1e-12)
    pull = (batch.gold / (odds + mass + 1e-12)).sum(axis=1, keepdims=True) * rivals
    slope: Matrix = np.einsum("qm,qmf->f", (pull - lost) * batch.shares[:, None], batch.rows).astype(float)
    return slope
