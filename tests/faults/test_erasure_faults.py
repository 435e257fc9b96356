"""functions/erase over every store: what was planted everywhere is nowhere, whatever fails meanwhile."""

from membus.domain.identity import Owner
from tests.canaries import canary_of, plant
from tests.erasing import house
from tests.factories import ADA

GRACE, OTHER_ADA = Owner(tenant="acme", user="grace"), Owner(tenant="zeta", user="ada")
EVERYBODY = (ADA, GRACE, OTHER_ADA)


def test_a_canary_planted_through_every_door_is_nowhere_and_its_neighbours_stay_whole() -> None:
    with house() as made:
        for owner in EVERYBODY:
            plant(made, owner)
        before = made.everything()
        assert all(before.count(canary_of(owner)) > 25 for owner in EVERYBODY)

        job = made.erase(ADA)

        after = made.everything()
        assert canary_of(ADA) not in after
        assert "U#ada" not in after.replace("T#zeta#U#ada", "")
        for owner in (GRACE, OTHER_ADA):
            assert after.count(canary_of(owner)) == before.count(canary_of(owner))
        assert job.status == "done"
        assert job.user is None
        assert job.receipt
        assert set(job.receipt.left.values()) == {0}
        names = ("facts", "documents", "episodes", "states", "cold_rows", "conversations", "messages")
        assert all(job.removed[name] > 0 for name in names)
        assert ("acme", "adas") not in made.hot.kept
