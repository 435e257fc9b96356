"""An erasure between every two calls of a writer: after the second round nothing of the user is left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from membus.core.errors import MembusError
from membus.erasure.guard import CachedErasures, ErasureGuard
from tests.factories import ADA
from tests.support.budgets import sample
from tests.support.erasure import ErasureSetup, make_erasure_setup
from tests.support.writers import CANARY, WRITERS, Writer


@pytest.mark.parametrize("name", WRITERS)
def test_erasure_between_any_two_calls_of_a_writer_leaves_nothing(name: str) -> None:
    """It comes as a whole round before each call of a writer that has not heard of it, and settles behind it."""
    writer = WRITERS[name]
    with make_erasure_setup() as made:
        writer.prepare(made)
        with before_calls(made, lambda _: None) as seen:
            writer.write(made, heard(made))
        assert CANARY in made.everything()
    assert len(seen) > 1

    for step in sample(range(1, len(seen) + 1), most=5):
        with make_erasure_setup() as made:
            writer.prepare(made)
            job: list[Any] = []

            def erase(number: int, made: ErasureSetup = made, job: list[Any] = job, step: int = step) -> None:
                if number == step and not job:
                    job.append(made.ask(ADA))
                    made.advance(job[0])

            written(writer, made, heard(made), erase)
            done = made.finish(job[0])
            if writer.again:
                writer.write(made, ErasureGuard(made.erasures))

            place = f"{name}: before call {step} of {len(seen)}, {seen[step - 1]}"
            assert done.receipt, place
            assert CANARY not in made.everything(), place


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_left_of_writes_during_the_first_round(name: str) -> None:
    """The writer runs through, unaware, in between two calls of the erasure; every third place is tried."""
    writer = WRITERS[name]
    with make_erasure_setup() as made:
        writer.prepare(made)
        gate = heard(made)
        with before_calls(made, lambda _: None) as seen:
            made.advance(made.ask(ADA))
    for step in sample(range(2, len(seen) + 1, 3), most=4):
        with make_erasure_setup() as made:
            writer.prepare(made)
            gate = heard(made)

            def write(
                number: int, made: ErasureSetup = made, gate: ErasureGuard = gate, step: int = step
            ) -> None:
                if number == step:
                    with suppress(MembusError):
                        writer.write(made, gate)

            job = made.ask(ADA)
            with before_calls(made, write):
                wait = made.advance(job)
            assert wait
            made.tiers.now += wait

            assert made.finish(job).receipt
            assert CANARY not in made.everything(), (
                f"{name}: before call {step} of the erasure, {seen[step - 1]}"
            )


def heard(made: ErasureSetup) -> ErasureGuard:
    """Return the gate of a process that asked about Ada a moment ago."""
    gate = ErasureGuard(CachedErasures(made.erasures, made.clock))
    gate.erasures.find_erasure(ADA)
    return gate


def written(writer: Writer, made: ErasureSetup, gate: ErasureGuard, happens: Callable[[int], None]) -> None:
    with before_calls(made, happens), suppress(MembusError):
        writer.write(made, gate)


@contextmanager
def before_calls(made: ErasureSetup, happens: Callable[[int], None]) -> Iterator[list[str]]:
    """Tell `happens` of every call to AWS, before it is sent, by its number.

    Calls that it makes itself count not.
    """
    seen: list[str] = []
    busy: list[bool] = []

    def before(model: Any, **_: object) -> None:
        if busy:
            return
        seen.append(model.name)
        busy.append(True)
        try:
            happens(len(seen))
        finally:
            busy.clear()

    clients = (made.memory.meta.client, made.talks.meta.client, made.s3)
    for client in clients:
        client.meta.events.register("before-call", before)
    try:
        yield seen
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", before)
