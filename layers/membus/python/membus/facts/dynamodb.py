"""Facts of a user in DynamoDB: the profile, current facts, observations and, on events, a model's answers.

An observation's sort key spells out its place in the order of learning: two deliveries of one event write the
same item. `FACTC#<key>` is the snapshot of a key's older observations, where it has more than are read for
every change; it can always be made again from them. An answer lies on the identity of its event, in the
attribute `answer:<prompt version>:<model>`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import FACT_PREFIX, ItemKey, event_pk, user_pk
from membus.aws.dynamodb.table import (
    ABSENT,
    DynamoTable,
    Item,
    Write,
    delete_item,
    put_item,
    read_body,
    update_item,
    within,
)
from membus.core.errors import ConflictError, NotFoundError
from membus.core.event import FORGOTTEN
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.episodes.dynamodb import answer_attribute, identity_key, recording_writes
from membus.facts.candidates import ANSWERS_ADAPTER, AnswersByEvent
from membus.facts.fact import (
    RECENT_OBSERVATIONS_MAX,
    Fact,
    ObservationHistory,
    ObservationPosition,
    ObservationSnapshot,
    position_of,
)
from membus.facts.observation import Observation
from membus.facts.ports import FactCommit, VersionedFact
from membus.facts.profile import Profile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

EVENT_IS_REMEMBERED = "attribute_exists(pk) AND (attribute_not_exists(extracted) OR extracted <> :forgotten)"
"""Of an event that was erased meanwhile, or is not to be remembered, only the bare id is there."""


def profile_write(profile: Profile) -> Write:
    """Return the write of a profile: its version guards the whole commit, every commit of facts raises it."""
    read = profile.version - 1
    item = {
        **_key(profile.owner, "PROFILE"),
        "version": profile.version,
        "body": profile.model_dump_json(),
    }
    return put_item(item, "version = :read", {":read": read}) if read else put_item(item, ABSENT)


def fact_key(owner: Owner, key: str) -> ItemKey:
    return _key(owner, f"{FACT_PREFIX}{key}")


def fact_item(owner: Owner, fact: Fact, *, revision: int) -> Item:
    """Return the item of a fact; a retracted one is marked and kept, so that it does not come back.

    `revision` is the profile's version, which no rebuild lowers: whoever copies the fact knows the newer one
    by it.
    """
    item = {
        **fact_key(owner, fact.key),
        "kind": fact.kind,
        "body": fact.model_dump_json(),
        "revision": revision,
    }
    return item | ({"retracted": True} if fact.is_retracted else {})


def observation_item(owner: Owner, seen: Observation) -> Item:
    return {**_position_key(owner, seen.key, position_of(seen)), "body": seen.model_dump_json()}


def snapshot_write(owner: Owner, key: str, carried: ObservationSnapshot | None) -> Write:
    where = _key(owner, f"FACTC#{key}")
    return put_item({**where, "body": carried.model_dump_json()}) if carried else delete_item(where)


def _key(owner: Owner, sk: str) -> ItemKey:
    return {"pk": user_pk(owner), "sk": sk}


def _position_key(owner: Owner, key: str, position: ObservationPosition) -> ItemKey:
    learned_ms, event_id = position
    return _key(owner, f"FACTV#{key}#{learned_ms:014d}#{event_id}")


class DynamoAnswers:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def get_answers(self, owners: Mapping[str, Owner], *, prompt_version: str, model: str) -> AnswersByEvent:
        name = answer_attribute(prompt_version, model)
        ids = {event_pk(owner, event_id): event_id for event_id, owner in owners.items()}
        items = self._table.get_batch(
            (identity_key(owner, event_id) for event_id, owner in owners.items()),
            doing="reading what a model proposed",
            consistent=False,
            ProjectionExpression="pk, #answer",
            ExpressionAttributeNames={"#answer": name},
        )
        return {
            ids[str(item["pk"])]: ANSWERS_ADAPTER.validate_json(str(item[name]))
            for item in items
            if name in item
        }

    def save_answers(self, owner: Owner, answers: AnswersByEvent, *, prompt_version: str, model: str) -> None:
        name = answer_attribute(prompt_version, model)
        for event_id, given in answers.items():
            value = ANSWERS_ADAPTER.dump_json(tuple(given)).decode()
            self._change(identity_key(owner, event_id), "SET #answer = :answer", name, {":answer": value})

    def delete_answers(
        self, owner: Owner, event_ids: Sequence[str], *, prompt_version: str, model: str
    ) -> None:
        name = answer_attribute(prompt_version, model)
        for event_id in event_ids:
            self._change(identity_key(owner, event_id), "REMOVE #answer", name, {})

    def _change(self, key: ItemKey, change: str, name: str, values: dict[str, str]) -> None:
        """Change what is there; an event that was erased meanwhile has nothing proposed for it."""
        values = {**values, ":forgotten": FORGOTTEN}
        update = update_item(key, change, EVENT_IS_REMEMBERED, values, {"#answer": name})
        with suppress(ConflictError):
            self._table.write(update, doing="keeping what a model proposed")


class DynamoFacts:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def get_profile(self, owner: Owner) -> Profile:
        item = self._table.get(_key(owner, "PROFILE"), doing="reading a profile")
        return read_body(item, Profile) if item else Profile(owner=owner)

    def get_full_profile(self, owner: Owner) -> Profile:
        profile = self.get_profile(owner)
        if profile.complete:
            return profile
        items = self._table.query(
            within(user_pk(owner), FACT_PREFIX),
            doing="listing facts",
            FilterExpression=Attr("retracted").not_exists(),
        )
        facts = tuple(read_body(item, Fact) for item in items)
        return profile.model_copy(update={"facts": facts})

    def get_fact(self, owner: Owner, key: str) -> Fact:
        return self.get_versioned_fact(owner, key).fact

    def get_versioned_fact(self, owner: Owner, key: str) -> VersionedFact:
        item = self._table.get(fact_key(owner, key), doing="reading a fact")
        if item is None or "retracted" in item:
            raise NotFoundError(f"nothing is known under {key}")
        fact = read_body(item, Fact)
        return VersionedFact(fact, int(item.get("revision", fact.version)))

    def list_facts(
        self, owner: Owner, *, kind: str | None, limit: int, after: dict[str, str] | None
    ) -> Page[Fact]:
        current = Attr("retracted").not_exists()
        found = self._table.query_page(
            within(user_pk(owner), FACT_PREFIX),
            doing="listing facts",
            limit=limit,
            after=after,
            FilterExpression=current & Attr("kind").eq(kind) if kind else current,
        )
        return found.map(lambda item: read_body(item, Fact))

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]:
        prefix = f"FACTV#{key}#" if key else "FACTV#"
        items = self._table.query(within(user_pk(owner), prefix), doing="reading a history")
        return [read_body(item, Observation) for item in items]

    def list_observation_range(
        self,
        owner: Owner,
        key: str,
        *,
        beyond: ObservationPosition | None,
        limit: int,
        backwards: bool = False,
    ) -> list[Observation]:
        page = self._table.query_page(
            within(user_pk(owner), f"FACTV#{key}#"),
            doing="reading a history",
            limit=limit,
            after=_position_key(owner, key, beyond) if beyond else None,
            ScanIndexForward=not backwards,
        )
        seen = [read_body(item, Observation) for item in page.items]
        return seen[::-1] if backwards else seen

    def get_history(self, owner: Owner, key: str) -> ObservationHistory:
        """Read once where the key has few observations, twice or thrice where older ones have a snapshot."""
        recent = self.list_observation_range(
            owner, key, beyond=None, limit=RECENT_OBSERVATIONS_MAX + 1, backwards=True
        )
        if len(recent) <= RECENT_OBSERVATIONS_MAX:
            return ObservationHistory(tuple(recent))
        item = self._table.get(_key(owner, f"FACTC#{key}"), doing="reading what is carried forward")
        if item is None:
            return ObservationHistory(tuple(self.list_observations(owner, key)))
        carried = read_body(item, ObservationSnapshot)
        while carried.is_older_than(recent[0]) and (
            older := self.list_observation_range(
                owner, key, beyond=position_of(recent[0]), limit=RECENT_OBSERVATIONS_MAX, backwards=True
            )
        ):
            recent = [*older, *recent]
        return ObservationHistory(tuple(seen for seen in recent if carried.is_older_than(seen)), carried)

    def commit(self, change: FactCommit) -> None:
        owner, revision = change.profile.owner, change.profile.version
        items = [
            *(observation_item(owner, seen) for seen in change.observations),
            *(fact_item(owner, fact, revision=revision) for fact in change.facts),
        ]
        new = (recording_writes(event, extracted=change.extractor) for event in change.new_events)
        writes = [
            *([profile_write(change.profile)] if change.facts else []),
            *map(put_item, items),
            *(snapshot_write(owner, key, carried) for key, carried in change.snapshots.items()),
            *chain.from_iterable(new),
            *(_extracted_write(change, event.event.event_id) for event in change.events),
        ]
        self._table.transact(writes, doing="committing facts")


def _extracted_write(change: FactCommit, event_id: str) -> Write:
    """Return the write that marks an event as read by this extractor, with the answers and the cost."""
    changes, names = ["extracted = :extractor"], dict[str, str]()
    values = {":extractor": change.extractor, ":forgotten": FORGOTTEN}
    if share := change.costs.get(event_id):
        changes.append("took = :took")
        values[":took"] = share.model_dump_json()
    if (query := change.query) and event_id in query.answers:
        changes.append("#answer = :answer")
        names["#answer"] = answer_attribute(query.prompt_version, query.model)
        values[":answer"] = ANSWERS_ADAPTER.dump_json(tuple(query.answers[event_id])).decode()
    return update_item(
        identity_key(change.profile.owner, event_id),
        f"SET {', '.join(changes)}",
        "attribute_exists(pk) AND"
        " (attribute_not_exists(extracted) OR NOT extracted IN (:extractor, :forgotten))",
        values,
        names,
    )
