"""membus.domain.cold.mergeable: which small objects become one, and never more at once than a catalog can exchange."""

from membus.domain.cold import MERGED_AT_ONCE, ColdObject, mergeable
from tests.factories import NOON


def an_object(number: int, size: int = 5_000) -> ColdObject:
    return ColdObject(
        tenant="acme", agent="default", day=NOON.date(), name=f"{number:04d}", first=f"{number:026d}",
        last=f"{number:026d}", rows=1, bytes=size, sha256="0" * 64, hot_until=NOON,
    )  # fmt: skip


def test_a_month_of_very_many_objects_is_merged_in_parts_that_one_transaction_takes() -> None:
    objects = [an_object(number) for number in range(250)]

    groups = mergeable(objects, target_bytes=2**27)

    assert [each for group in groups for each in group] == objects
    assert max(map(len, groups)) <= MERGED_AT_ONCE < 100


def test_a_group_ends_before_it_would_outgrow_one_and_a_half_of_the_target() -> None:
    groups = mergeable([an_object(number, size=90) for number in range(6)], target_bytes=120)

    assert [len(group) for group in groups] == [2, 2, 2]
