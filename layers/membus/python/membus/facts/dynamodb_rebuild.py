"""A user's facts written anew in DynamoDB, after a rebuild or a purge of events.

What differs is written key by key, each step guarded by the profile's version.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from membus.aws.dynamodb.table import DynamoTable, Write, delete_item, put_item
from membus.core.identity import Owner
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.facts.dynamodb import (
    DynamoFacts,
    fact_item,
    fact_key,
    observation_item,
    profile_write,
    snapshot_write,
)
from membus.facts.fact import RECENT_OBSERVATIONS_MAX, fold, group_by_key
from membus.facts.observation import Observation
from membus.facts.profile import Profile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

WRITES_MAX = 90
"""DynamoDB takes a hundred items in a transaction; one is the profile, and a key's own are kept together."""
REBUILD_RETRY = RetryPolicy(tries=5, pause_seconds=0.05)


class DynamoFactRebuilder:
    def __init__(self, table: "Table") -> None:
        self._table, self._facts = DynamoTable(table), DynamoFacts(table)

    def rebuild_facts(
        self, owner: Owner, wanted: Callable[[Sequence[Observation]], list[Observation]]
    ) -> int:
        """Replace the user's observations by what `wanted` makes of them; return how many items were written.

        A commit that comes in between is not overwritten: the rebuild is done again from what is stored then.
        One that stops half-way leaves every key either old or new, and is finished by another.

        Raises:
            ConflictError: others kept writing.
        """

        def read(_: int) -> tuple[Profile, list[Observation], list[Observation]]:
            # The profile first: its version then guards all that is read after it.
            profile, stored = self._facts.get_profile(owner), self._facts.list_observations(owner)
            return profile, stored, wanted(stored)

        return commit_with_retry(read, self._write, policy=REBUILD_RETRY)

    def _write(self, read: tuple[Profile, list[Observation], list[Observation]]) -> int:
        profile, stored, after = read
        steps = list(_steps(profile, stored, after))
        facts = [fact for seen in group_by_key(after).values() if (fact := fold(seen))]
        for step in steps:
            profile = Profile(owner=profile.owner, version=profile.version).with_facts(facts)
            self._table.transact([profile_write(profile), *step], doing="rebuilding facts")
        return sum(map(len, steps))


def _steps(
    profile: Profile, stored: Sequence[Observation], wanted: Sequence[Observation]
) -> Iterator[list[Write]]:
    """Yield the writes that lead from one to the other, as many as fit a transaction at a time."""
    before, after = group_by_key(stored), group_by_key(wanted)
    step: list[Write] = []
    for key in sorted(before.keys() | after.keys()):
        writes = _writes(profile, key, before.get(key, []), after.get(key, []))
        for start in range(0, len(writes), WRITES_MAX):
            part = writes[start : start + WRITES_MAX]
            if len(step) + len(part) > WRITES_MAX:
                yield step
                step = []
            step += part
    if step:
        yield step


def _writes(profile: Profile, key: str, before: list[Observation], after: list[Observation]) -> list[Write]:
    """Return what turns a key's observations into others, its fact last."""
    owner = profile.owner
    old, new = (
        {item["sk"]: item for item in (observation_item(owner, seen) for seen in some)}
        for some in (before, after)
    )
    gone = ({"pk": old[sk]["pk"], "sk": sk} for sk in sorted(old.keys() - new.keys()))
    writes = [*map(delete_item, gone), *(put_item(new[sk]) for sk in sorted(new) if old.get(sk) != new[sk])]
    if not writes:
        return []
    if len(before) > RECENT_OBSERVATIONS_MAX:
        writes.append(snapshot_write(owner, key, None))
    fact = fold(after)
    if fact is None:
        return [*writes, delete_item(fact_key(owner, key))]
    return [*writes, put_item(fact_item(owner, fact, revision=profile.version + 1))]
