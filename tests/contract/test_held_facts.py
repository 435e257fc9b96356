"""The port HeldFacts: what waits, what a person decides, and that no copy brings it back."""

from datetime import timedelta

import pytest

from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.facts.candidates import REVIEW_LIFETIME, ReviewItem, ReviewRequest, review_item_for
from membus.facts.ports import ReviewQueue
from tests.factories import an_observation
from tests.fakes.clock import StoppedClock


def held(number: int = 1, **fields: str) -> ReviewItem:
    return review_item_for(
        ReviewRequest(reason="url", observation=an_observation(event_id=f"e{number}", **fields))
    )


def waiting(held_facts: ReviewQueue, owner: Owner) -> list[ReviewItem]:
    found: list[ReviewItem] = []
    page = held_facts.list_items(owner, limit=2, after=None)
    found += page.items
    while page.after:
        page = held_facts.list_items(owner, limit=2, after=page.after)
        found += page.items
    return found


def test_review_item_is_stored_once(held_facts: ReviewQueue, owner: Owner) -> None:
    for _ in range(3):
        held_facts.add_items(owner, [held(), held(key="likes.tea", value="tea")])

    assert sorted(each.observation.key for each in waiting(held_facts, owner)) == ["home.city", "likes.tea"]


def test_pages_list_every_review_item(held_facts: ReviewQueue, owner: Owner) -> None:
    held_facts.add_items(owner, map(held, range(5)))

    assert sorted(each.observation.provenance.event_id for each in waiting(held_facts, owner)) == [
        f"e{number}" for number in range(5)
    ]


def test_review_queue_belongs_to_one_tenant(held_facts: ReviewQueue, owner: Owner) -> None:
    held_facts.add_items(owner, [held()])
    other = Owner(tenant=f"{owner.tenant}x", user=owner.user)

    assert waiting(held_facts, other) == []
    with pytest.raises(NotFoundError):
        held_facts.approve_item(other, held().quarantine_id)


def test_approved_item_is_returned_and_leaves_the_queue(held_facts: ReviewQueue, owner: Owner) -> None:
    held_facts.add_items(owner, [held()])

    for _ in range(2):
        assert held_facts.approve_item(owner, held().quarantine_id).observation == held().observation
    held_facts.add_items(owner, [held()])

    assert waiting(held_facts, owner) == []


def test_rejected_item_never_returns(held_facts: ReviewQueue, owner: Owner, clock: StoppedClock) -> None:
    held_facts.add_items(owner, [held()])

    for _ in range(2):
        held_facts.reject_item(owner, held().quarantine_id)
    clock.advance(REVIEW_LIFETIME * 2)
    held_facts.add_items(owner, [held()])

    assert waiting(held_facts, owner) == []


def test_the_first_decision_stands(held_facts: ReviewQueue, owner: Owner) -> None:
    held_facts.add_items(owner, [held(1), held(2)])
    held_facts.approve_item(owner, held(1).quarantine_id)
    held_facts.reject_item(owner, held(2).quarantine_id)

    with pytest.raises(ConflictError) as approved:
        held_facts.reject_item(owner, held(1).quarantine_id)
    with pytest.raises(ConflictError) as rejected:
        held_facts.approve_item(owner, held(2).quarantine_id)

    assert (approved.value.code, rejected.value.code) == ("decided", "decided")


def test_review_item_expires(held_facts: ReviewQueue, owner: Owner, clock: StoppedClock) -> None:
    held_facts.add_items(owner, [held()])
    clock.advance(REVIEW_LIFETIME + timedelta(days=1))

    assert waiting(held_facts, owner) == []
    for decide in (held_facts.approve_item, held_facts.reject_item):
        with pytest.raises(NotFoundError):
            decide(owner, held().quarantine_id)


def test_unknown_review_item_cannot_be_decided(held_facts: ReviewQueue, owner: Owner) -> None:
    with pytest.raises(NotFoundError):
        held_facts.reject_item(owner, "0" * 32)
    held_facts.add_items(owner, [held()])

    assert len(waiting(held_facts, owner)) == 1


@pytest.mark.parametrize(
    ("former", "key", "value"),
    [("skill.c", "skill.c-cedb1bac", "C++"), ("language", "language.dutch", "Dutch")],
)
def test_rejection_under_the_key_of_an_older_version_counts(
    held_facts: ReviewQueue, owner: Owner, former: str, key: str, value: str
) -> None:
    rejected = held(1, key=former, value=value)
    held_facts.add_items(owner, [rejected, held(2, key=former, value=value)])
    held_facts.reject_item(owner, rejected.quarantine_id)

    held_facts.add_items(owner, [held(1, key=key, value=value), held(2, key=key, value=value)])

    keys = [
        (each.observation.provenance.event_id, each.observation.key) for each in waiting(held_facts, owner)
    ]
    assert sorted(keys) == [("e2", former), ("e2", key)]
