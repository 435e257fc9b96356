"""How much one run of the tests looks at.

A sample of it, or all with MEMBUS_TESTS=nightly (`make nightly`).
"""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import HealthCheck, settings

from localstack.home import read_environment

T = TypeVar("T")
NIGHTLY = read_environment().get("MEMBUS_TESTS") == "nightly"


def budget(usual: int, *, nightly: int) -> int:
    """Return how many examples or turns a test takes."""
    return nightly if NIGHTLY else usual


def sample(steps: Sequence[T], *, most: int) -> Sequence[T]:
    """Return `most` of the steps, evenly spread from the first to the last; nightly all of them."""
    if NIGHTLY or len(steps) <= most:
        return steps
    return [steps[number * (len(steps) - 1) // (most - 1)] for number in range(most)]


def machine_settings(usual: int, *, nightly: int, steps: int) -> settings:
    """Return the settings of a stateful machine: how often it is run, and how many steps it takes at most."""
    return settings(
        max_examples=budget(usual, nightly=nightly),
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
