"""Merge a tenant's small objects: colder classes take none below 128 KB, and a reader asks for each one."""

from collections.abc import Iterable
from itertools import groupby

from functions.archive.api import Outcome
from functions.archive.usecase import SECONDS_MIN, Archiver
from membus.domain.cold import ColdObject, mergeable
from membus.errors import MembusError

TARGET_BYTES = 128 * 2**20


def compact(tenant: str, *, archiver: Archiver, dry_run: bool = False) -> Outcome:
    """Merge each agent's small objects of each month that is over.

    Nothing is removed before the merged object was read back and the catalog names it instead of the old ones.
    """
    outcome = Outcome()
    for group in _groups(archiver.catalog.of(tenant), this_month=f"{archiver.now():%Y-%m}"):
        if archiver.seconds_left() < SECONDS_MIN:
            outcome.unfinished = True
            break
        outcome.objects += len(group)
        outcome.bytes += sum(each.bytes for each in group)
        outcome.episodes += sum(each.rows for each in group)
        if not dry_run:
            _merge(group, archiver, outcome)
    return outcome


def _groups(objects: Iterable[ColdObject], *, this_month: str) -> Iterable[list[ColdObject]]:
    for (_, month), of_month in groupby(objects, key=lambda each: (each.agent, f"{each.day:%Y-%m}")):
        if month != this_month:
            yield from mergeable(list(of_month), target_bytes=TARGET_BYTES)


def _merge(group: list[ColdObject], archiver: Archiver, outcome: Outcome) -> None:
    try:
        merged = archiver.objects.merge(group)
        archiver.catalog.replace(group, merged)
        for old in group:
            archiver.objects.drop(old)
    except MembusError as error:
        outcome.problems.append(f"{group[0].key}: {error.code}: {error.detail}")
        archiver.tell(group[0].key, error)


def verify(tenant: str, *, archiver: Archiver) -> Outcome:
    """Read every object of a tenant and name those that are missing, damaged or not what the catalog says."""
    outcome = Outcome()
    for each in archiver.catalog.of(tenant):
        try:
            archiver.objects.verify(each)
        except MembusError as error:
            outcome.problems.append(f"{each.key}: {error.code}: {error.detail}")
            continue
        outcome.objects += 1
        outcome.bytes += each.bytes
        outcome.episodes += each.rows
    return outcome
