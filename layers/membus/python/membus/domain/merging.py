"""Which small cold objects become one, and when that is worth writing them again."""

from collections.abc import Sequence

from membus.domain.cold import ArchiveObject

TARGET_BYTES = 128 * 2**20
"""Objects of this size are left alone: a request more or less is nothing beside what they hold."""
MERGED_AT_ONCE = 90
"""Objects that become one: the catalog exchanges them in one transaction, which takes a hundred writes."""
OUTWEIGHED, MANY_OBJECTS = 4, 16
"""Late episodes join a large object once they are a fifth of the whole, or there are sixteen objects.

A month is not written again every night for an event that came late.
"""


def mergeable_groups(
    objects: Sequence[ArchiveObject], *, target_bytes: int = TARGET_BYTES, patient: bool = False
) -> list[list[ArchiveObject]]:
    """Return groups of one agent's objects of one month, in time order, that are better off as one object each.

    Objects of `target_bytes` or more are left alone; a group ends before it would outgrow one and a half of
    that, or `MERGED_AT_ONCE` objects. `patient` leaves alone a few small ones beside one that is much larger.
    """
    groups: list[list[ArchiveObject]] = []
    size = 0
    for each in sorted((each for each in objects if each.bytes < target_bytes), key=lambda each: each.first):
        if not groups or size + each.bytes > target_bytes * 3 // 2 or len(groups[-1]) == MERGED_AT_ONCE:
            groups.append([])
            size = 0
        groups[-1].append(each)
        size += each.bytes
    return [group for group in groups if len(group) > 1 and not (patient and _can_wait(group))]


def _can_wait(group: Sequence[ArchiveObject]) -> bool:
    largest, total = max(each.bytes for each in group), sum(each.bytes for each in group)
    return len(group) < MANY_OBJECTS and largest > OUTWEIGHED * (total - largest)
