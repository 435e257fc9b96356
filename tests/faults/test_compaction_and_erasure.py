"""Compaction and an erasure during each other: no row of the user is left, no receipt is too early."""

import re

from membus.core.identity import Owner
from tests.factories import ADA
from tests.faults.test_compaction_faults import compact, sound
from tests.support.archive_tiers import calls, fill
from tests.support.budgets import sample
from tests.support.erasure import ErasureSetup, make_erasure_setup

GRACE = Owner(tenant="acme", user="grace")
DAYS = (-3, -2)
COLD = {"GetObject", "PutObject", "TransactWriteItems"}
"""What an erasure asks for where it reads and writes cold objects again."""


def prepared(made: ErasureSetup) -> None:
    fill(made.tiers, ADA, GRACE, days=DAYS)
    made.tiers.archive()
    made.tiers.expire()


def nothing_is_left(made: ErasureSetup) -> bool:
    rows = [event.event.user_id for event in made.tiers.walk(GRACE)]
    return (
        "ada" not in re.sub("#EV#[0-9a-f]{32}", "", made.everything())
        and rows == ["grace"] * len(DAYS)
        and sound(made.tiers)
    )


def test_compaction_during_an_erasure_hides_no_row() -> None:
    with make_erasure_setup() as made:
        prepared(made)
        with calls(made.tiers, lambda _name, _number: None) as seen:
            made.erase(ADA)
        assert nothing_is_left(made)
    steps = [number for number, name in enumerate(seen, start=1) if name in COLD]
    assert len(steps) > 4

    for step in sample(steps[::2], most=4):
        with make_erasure_setup() as made:
            prepared(made)

            def interrupt(_: str, number: int, step: int = step, made: ErasureSetup = made) -> None:
                if number == step:
                    compact(made.tiers)

            with calls(made.tiers, interrupt):
                job = made.erase(ADA)
            assert job.receipt, f"compacted at step {step}"
            assert set(job.receipt.left.values()) == {0}
            assert nothing_is_left(made), f"compacted at step {step}"


def test_erasure_during_a_compaction_wins() -> None:
    with make_erasure_setup() as made:
        prepared(made)
        with calls(made.tiers, lambda _name, _number: None) as seen:
            compact(made.tiers)

    for step in sample(range(2, len(seen) + 1, 2), most=4):
        with make_erasure_setup() as made:
            prepared(made)

            def interrupt(_: str, number: int, step: int = step, made: ErasureSetup = made) -> None:
                if number == step:
                    made.erase(ADA)

            with calls(made.tiers, interrupt):
                assert compact(made.tiers) == [], f"erased at step {step}"
            compact(made.tiers)
            assert "ada" not in [event.event.user_id for event in made.tiers.walk(GRACE)], (
                f"erased at step {step}"
            )
            assert sound(made.tiers), f"erased at step {step}"
