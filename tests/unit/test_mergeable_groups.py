"""membus.episodes.archive.model: which small objects are merged, and how many at once."""

from membus.episodes.archive.model import MANY_OBJECTS, MERGED_AT_ONCE, ArchiveObject, mergeable_groups
from tests.factories import NOON


def an_object(number: int, size: int = 5_000) -> ArchiveObject:
    return ArchiveObject(
        tenant="acme",
        agent="default",
        day=NOON.date(),
        name=f"{number:04d}",
        first=f"{number:026d}",
        last=f"{number:026d}",
        rows=1,
        bytes=size,
        sha256="0" * 64,
        hot_until=NOON,
    )


def test_month_of_many_objects_is_merged_in_groups_of_one_transaction() -> None:
    objects = [an_object(number) for number in range(250)]

    groups = mergeable_groups(objects, target_bytes=2**27)

    assert [each for group in groups for each in group] == objects
    assert max(map(len, groups)) <= MERGED_AT_ONCE < 100


def test_group_of_objects_ends_before_one_and_a_half_times_the_target() -> None:
    groups = mergeable_groups([an_object(number, size=90) for number in range(6)], target_bytes=120)

    assert [len(group) for group in groups] == [2, 2, 2]


def test_late_episodes_wait_beside_a_large_object_until_they_weigh_enough() -> None:
    large, late = an_object(0, size=4_000), [an_object(number, size=100) for number in range(1, MANY_OBJECTS)]

    assert mergeable_groups([large, *late[:5]], patient=True) == []
    assert mergeable_groups([large, *late[:5]]) == [[large, *late[:5]]]
    assert mergeable_groups([large, *late[:10]], patient=True) == [[large, *late[:10]]]
    assert len(mergeable_groups([an_object(0, size=10**6), *late], patient=True)) == 1


def test_nightly_late_episodes_are_rewritten_a_few_times_only() -> None:
    """A month of 4,000,000 bytes, and 10,000 more on each of a hundred nights."""
    lying, written = [an_object(0, size=4_000_000)], 0
    for night in range(1, 101):
        lying.append(an_object(night, size=10_000))
        for group in mergeable_groups(lying, patient=True):
            merged = group[0].model_copy(update={"bytes": sum(each.bytes for each in group)})
            lying = [merged, *(each for each in lying if each not in group)]
            written += merged.bytes

    assert len(lying) <= MANY_OBJECTS
    assert written < 8 * 5_000_000
