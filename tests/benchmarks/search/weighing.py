"""Weights from questions: fitted, calibrated, put in force, written to the layer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from membus.search import ranking, weights
from tests.benchmarks.search.fitting import calibrate, fit
from tests.benchmarks.search.samples import Sample

AGAIN_WEIGHT = -1.0  # before calibration; -0.5 and -2 move no recall by more than 0.004, 0 costs BEAM 0.01
_MODULE = '''"""How much each column counts: one configuration for every kind of memory.

Written by `make search-weights DATA=…` (tests/benchmarks/search): not edited by hand.
"""

WEIGHTS: dict[str, float] = {{
{weights}
}}
MIDPOINT = {midpoint}
"""The log odds at which a passage is as likely evidence as not."""
'''


def fitted(samples: Sequence[Sample]) -> tuple[dict[str, float], float]:
    """Return the weights of all columns and the midpoint, in log odds."""
    names = samples[0].names
    found = fit(samples, np.array([weights.WEIGHTS.get(name, 0.0) for name in names]))
    slope, middle = calibrate(samples, found)
    by_name = dict(zip(names, found, strict=True)) | {ranking.SITTING_AGAIN: AGAIN_WEIGHT}
    return {name: round(float(value) * slope, 3) for name, value in by_name.items()}, round(slope * middle, 3)


def write(found: dict[str, float], midpoint: float) -> None:
    lines = "\n".join(f'    "{name}": {value},' for name, value in found.items())
    Path(weights.__file__).write_text(_MODULE.format(weights=lines, midpoint=midpoint))


@contextmanager
def in_force(found: dict[str, float]) -> Iterator[None]:
    """Rank with these weights for the block, through the same code as production."""
    before = dict(weights.WEIGHTS)
    weights.WEIGHTS.update(found)
    try:
        yield
    finally:
        weights.WEIGHTS.update(before)
