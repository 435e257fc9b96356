"""Trials of other readers in the table `tenants`: pk `T#<tenant>`, sk `SHADOW#<name>`.

A user's facts written anew after a rebuild.

What differs, key by key, each step guarded by the profile's version.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.facts.dynamodb import (
    DynamoFacts,
    fact_item,
    observation_sk,
    profile_write,
    snapshot_write,
    user_pk,
)
from membus.facts.fact import RECENT_OBSERVATIONS_MAX, fold, group_by_key
from membus.facts.observation import Observation
from membus.facts.profile import Profile
from scripts.reextraction.trial_model import ExtractionTrial

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoTrials:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def add_trial(self, shadow: ExtractionTrial) -> None:
        with translate_dynamodb_errors("keeping a trial"):
            self._table.put_item(Item=_key(shadow.tenant, shadow.name) | {"body": shadow.model_dump_json()})

    def get_trial(self, tenant: str, name: str) -> ExtractionTrial:
        with translate_dynamodb_errors("reading a trial"):
            found = self._table.get_item(Key=_key(tenant, name), ConsistentRead=True).get("Item")
        if found is None:
            raise NotFoundError(f"no trial {name} of {tenant}")
        return ExtractionTrial.model_validate_json(str(found["body"]))

    def list_trials(self, tenant: str) -> list[ExtractionTrial]:
        with translate_dynamodb_errors("listing trials"):
            answer = self._table.query(
                KeyConditionExpression=Key("pk").eq(f"T#{tenant}") & Key("sk").begins_with("SHADOW#"),
                ConsistentRead=True,
            )
        return [ExtractionTrial.model_validate_json(str(item["body"])) for item in answer["Items"]]

    def delete_trial(self, shadow: ExtractionTrial) -> None:
        with translate_dynamodb_errors("removing a trial"):
            self._table.delete_item(Key=_key(shadow.tenant, shadow.name))


def _key(tenant: str, name: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}", "sk": f"SHADOW#{name}"}


WRITES_MAX = 90
"""DynamoDB takes a hundred items in a transaction; one is the profile, and a key's own are kept together."""
REBUILD_TRIES = 5


class DynamoFactRebuilder:
    def __init__(self, table: "Table") -> None:
        self._table, self._facts = table, DynamoFacts(table)

    def rebuild_facts(
        self, owner: Owner, wanted: Callable[[Sequence[Observation]], list[Observation]]
    ) -> int:
        """Make the user's observations what `wanted` makes of the stored ones.

        Return how many items were written.

        Whoever learns meanwhile is not overwritten: it is done again from what is stored then. A rebuild that
        stops half-way leaves every key either old or new, and is finished by another.

        Raises:
            ConflictError: others kept writing.
        """
        for tries_left in reversed(range(REBUILD_TRIES)):
            # The profile first: its version then guards all that is read after it.
            profile, stored = self._facts.get_profile(owner), self._facts.list_observations(owner)
            after = wanted(stored)
            try:
                return self._write(profile, after, list(_steps(self._table.name, profile, stored, after)))
            except ConflictError:
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    def _write(self, profile: Profile, after: Sequence[Observation], steps: list[list[Any]]) -> int:
        facts = [fact for seen in group_by_key(after).values() if (fact := fold(seen))]
        for step in steps:
            profile = Profile(owner=profile.owner, version=profile.version).with_facts(facts)
            guarded = [profile_write(self._table.name, profile), *step]
            write_transaction(self._table.meta.client, guarded, doing="rebuilding facts")
        return sum(map(len, steps))


def _steps(
    table: str, profile: Profile, stored: Sequence[Observation], wanted: Sequence[Observation]
) -> Iterator[list[Any]]:
    """Yield the writes that lead from one to the other, as many as fit a transaction at a time."""
    before, after = group_by_key(stored), group_by_key(wanted)
    step: list[Any] = []
    for key in sorted(before.keys() | after.keys()):
        writes = _writes(table, profile, key, before.get(key, []), after.get(key, []))
        for start in range(0, len(writes), WRITES_MAX):
            part = writes[start : start + WRITES_MAX]
            if len(step) + len(part) > WRITES_MAX:
                yield step
                step = []
            step += part
    if step:
        yield step


def _writes(
    table: str, profile: Profile, key: str, before: list[Observation], after: list[Observation]
) -> list[Any]:
    """Return what turns a key's observations into others, its fact last."""
    pk = user_pk(profile.owner)
    old = {observation_sk(seen): seen for seen in before}
    new = {observation_sk(seen): seen for seen in after}
    writes: list[Any] = [_delete(table, pk, sk) for sk in sorted(old.keys() - new.keys())]
    changed = (sk for sk in sorted(new) if old.get(sk) != new[sk])
    writes += [_put(table, {"pk": pk, "sk": sk, "body": new[sk].model_dump_json()}) for sk in changed]
    if not writes:
        return []
    if len(before) > RECENT_OBSERVATIONS_MAX:
        writes.append(snapshot_write(table, pk, key, None))
    fact = fold(after)
    if fact is None:
        return [*writes, _delete(table, pk, f"FACT#{key}")]
    return [*writes, _put(table, fact_item(pk, fact, revision=profile.version + 1))]


def _put(table: str, item: dict[str, Any]) -> Any:
    return {"Put": {"TableName": table, "Item": item}}


def _delete(table: str, pk: str, sk: str) -> Any:
    return {"Delete": {"TableName": table, "Key": {"pk": pk, "sk": sk}}}
