"""Facts in DynamoDB: pk `T#<tenant>#U#<user>`.

Sk `PROFILE`, `FACT#<key>`, `FACTV#<key>#<learned ms>#<event id>`.

The version of an observation is its place in the order of learning, which its sort key spells out: two
deliveries of one event write the same item. `FACTC#<key>` is what the older observations of a key come to,
where it has more than are read for every change; it can always be made again from them.

The items of facts, in the layout that `dynamo_facts` describes.

Answers in DynamoDB, on the event's identity item.

Attribute `answer:<prompt version>:<model>`, a JSON list.
"""

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key
from pydantic import TypeAdapter

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.core.errors import ConflictError, NotFoundError
from membus.core.event import FORGOTTEN
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.episodes.dynamodb import answer_attribute, identity_key, recording_writes
from membus.facts.candidates import AnswersByEvent, EventAnswer
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


def profile_write(table_name: str, profile: Profile) -> dict[str, Any]:
    """Return the write of a profile.

    Its version guards the whole commit, every write to a user's facts raises it.
    """
    read = profile.version - 1
    unread: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    still: dict[str, Any] = {
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": read},
    }
    item = {
        "pk": user_pk(profile.owner),
        "sk": "PROFILE",
        "version": profile.version,
        "body": profile.model_dump_json(),
    }
    return {"Put": {"TableName": table_name, "Item": item, **(still if read else unread)}}


def user_pk(owner: Owner) -> str:
    return f"T#{owner.tenant}#U#{owner.user}"


def fact_item(pk: str, fact: Fact, *, revision: int) -> dict[str, Any]:
    """A retracted fact keeps its item, marked.

    With it would go the word that keeps the fact from coming back.

    `revision` is the profile's version, which no rebuild lowers: whoever copies the fact knows the newer one
    by it.
    """
    item = {
        "pk": pk,
        "sk": f"FACT#{fact.key}",
        "kind": fact.kind,
        "body": fact.model_dump_json(),
        "revision": revision,
    }
    return item | ({"retracted": True} if fact.is_retracted else {})


def snapshot_write(table_name: str, pk: str, key: str, carried: ObservationSnapshot | None) -> dict[str, Any]:
    where = {"pk": pk, "sk": f"FACTC#{key}"}
    if carried is None:
        return {"Delete": {"TableName": table_name, "Key": where}}
    return {"Put": {"TableName": table_name, "Item": where | {"body": carried.model_dump_json()}}}


def observation_sk(seen: Observation) -> str:
    return position_sk(seen.key, position_of(seen))


def position_sk(key: str, place: ObservationPosition) -> str:
    learned_ms, event_id = place
    return f"FACTV#{key}#{learned_ms:014d}#{event_id}"


BATCH_GET_MAX = 100
"""BatchGetItem takes a hundred keys."""
EVENT_IS_REMEMBERED = "attribute_exists(pk) AND (attribute_not_exists(extracted) OR extracted <> :forgotten)"
"""Of an event that was erased meanwhile, or is not to be remembered, only the bare id is there."""
FORGOTTEN_VALUE = {":forgotten": FORGOTTEN}
ANSWERS_ADAPTER = TypeAdapter(tuple[EventAnswer, ...])


class DynamoAnswers:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def get_answers(
        self, tenant: str, event_ids: Sequence[str], *, prompt_version: str, model: str
    ) -> AnswersByEvent:
        name = answer_attribute(prompt_version, model)
        found: dict[str, Sequence[EventAnswer]] = {}
        for start in range(0, len(event_ids), BATCH_GET_MAX):
            for item in self._items(tenant, event_ids[start : start + BATCH_GET_MAX], name):
                if name in item:
                    found[str(item["pk"]).split("#EV#", 1)[1]] = ANSWERS_ADAPTER.validate_json(
                        str(item[name])
                    )
        return found

    def save_answers(self, tenant: str, answers: AnswersByEvent, *, prompt_version: str, model: str) -> None:
        name = answer_attribute(prompt_version, model)
        for event_id, given in answers.items():
            value = ANSWERS_ADAPTER.dump_json(tuple(given)).decode()
            self._change(identity_key(tenant, event_id), "SET #answer = :answer", name, value)

    def delete_answers(
        self, tenant: str, event_ids: Sequence[str], *, prompt_version: str, model: str
    ) -> None:
        name = answer_attribute(prompt_version, model)
        for event_id in event_ids:
            self._change(identity_key(tenant, event_id), "REMOVE #answer", name)

    def _change(self, key: dict[str, str], change: str, name: str, value: str = "") -> None:
        """Change what is there; an event that was erased meanwhile has nothing proposed for it."""
        with suppress(ConflictError), translate_dynamodb_errors("keeping what a model proposed"):
            self._table.update_item(
                Key=key,
                UpdateExpression=change,
                ConditionExpression=EVENT_IS_REMEMBERED,
                ExpressionAttributeNames={"#answer": name},
                ExpressionAttributeValues={":answer": value, ":forgotten": FORGOTTEN}
                if value
                else FORGOTTEN_VALUE,
            )

    def _items(self, tenant: str, event_ids: Sequence[str], name: str) -> list[dict[str, Any]]:
        keys = [identity_key(tenant, event_id) for event_id in dict.fromkeys(event_ids)]
        asked: Any = {
            self._table.name: {
                "Keys": keys,
                "ProjectionExpression": "pk, #answer",
                "ExpressionAttributeNames": {"#answer": name},
            }
        }
        found: list[dict[str, Any]] = []
        while asked:
            with translate_dynamodb_errors("reading what a model proposed"):
                answer = self._table.meta.client.batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(self._table.name, [])
            asked = answer.get("UnprocessedKeys")
        return found


FACTS_PAGE = 1_000
"""A query's page of 1 MB ends before that many facts do."""


class DynamoFacts:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def get_profile(self, owner: Owner) -> Profile:
        with translate_dynamodb_errors("reading a profile"):
            found = self._table.get_item(Key={"pk": user_pk(owner), "sk": "PROFILE"}, ConsistentRead=True)
        item = found.get("Item")
        return Profile.model_validate_json(str(item["body"])) if item else Profile(owner=owner)

    def get_full_profile(self, owner: Owner) -> Profile:
        profile = self.get_profile(owner)
        if profile.complete:
            return profile
        facts: list[Fact] = []
        page: Page[Fact] = Page((), {})
        while page.after is not None:
            page = self.list_facts(owner, kind=None, limit=FACTS_PAGE, after=page.after or None)
            facts += page.items
        return profile.model_copy(update={"facts": tuple(facts)})

    def get_fact(self, owner: Owner, key: str) -> Fact:
        return self.get_versioned_fact(owner, key).fact

    def get_versioned_fact(self, owner: Owner, key: str) -> VersionedFact:
        with translate_dynamodb_errors("reading a fact"):
            found = self._table.get_item(Key={"pk": user_pk(owner), "sk": f"FACT#{key}"}, ConsistentRead=True)
        item = found.get("Item")
        if item is None or "retracted" in item:
            raise NotFoundError(f"nothing is known under {key}")
        fact = Fact.model_validate_json(str(item["body"]))
        return VersionedFact(fact, int(str(item.get("revision", fact.version))))

    def list_facts(
        self, owner: Owner, *, kind: str | None, limit: int, after: dict[str, str] | None
    ) -> Page[Fact]:
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(user_pk(owner)) & Key("sk").begins_with("FACT#"),
            "FilterExpression": Attr("retracted").not_exists(),
            "ConsistentRead": True,
            "Limit": limit,
        }
        if kind:
            query["FilterExpression"] &= Attr("kind").eq(kind)
        if after:
            query["ExclusiveStartKey"] = after
        with translate_dynamodb_errors("listing facts"):
            answer = self._table.query(**query)
        facts = tuple(Fact.model_validate_json(str(item["body"])) for item in answer["Items"])
        last = answer.get("LastEvaluatedKey")
        return Page(facts, {name: str(value) for name, value in last.items()} if last else None)

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]:
        prefix = f"FACTV#{key}#" if key else "FACTV#"
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(user_pk(owner)) & Key("sk").begins_with(prefix),
            "ConsistentRead": True,
        }
        seen: list[Observation] = []
        while True:
            with translate_dynamodb_errors("reading a history"):
                answer = self._table.query(**query)
            seen += (Observation.model_validate_json(str(item["body"])) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return seen
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def list_observation_range(
        self,
        owner: Owner,
        key: str,
        *,
        beyond: ObservationPosition | None,
        limit: int,
        backwards: bool = False,
    ) -> list[Observation]:
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(user_pk(owner)) & Key("sk").begins_with(f"FACTV#{key}#"),
            "ConsistentRead": True,
            "ScanIndexForward": not backwards,
            "Limit": limit,
        }
        if beyond:
            query["ExclusiveStartKey"] = {"pk": user_pk(owner), "sk": position_sk(key, beyond)}
        with translate_dynamodb_errors("reading a history"):
            items = self._table.query(**query)["Items"]
        seen = [Observation.model_validate_json(str(item["body"])) for item in items]
        return seen[::-1] if backwards else seen

    def get_history(self, owner: Owner, key: str) -> ObservationHistory:
        """Read once where the key has few observations, and twice or thrice where older ones are carried forward."""
        recent = self.list_observation_range(
            owner, key, beyond=None, limit=RECENT_OBSERVATIONS_MAX + 1, backwards=True
        )
        if len(recent) <= RECENT_OBSERVATIONS_MAX:
            return ObservationHistory(tuple(recent))
        with translate_dynamodb_errors("reading what is carried forward"):
            found = self._table.get_item(
                Key={"pk": user_pk(owner), "sk": f"FACTC#{key}"}, ConsistentRead=True
            )
        if "Item" not in found:
            return ObservationHistory(tuple(self.list_observations(owner, key)))
        carried = ObservationSnapshot.model_validate_json(str(found["Item"]["body"]))
        while carried.is_older_than(recent[0]) and (
            older := self.list_observation_range(
                owner, key, beyond=position_of(recent[0]), limit=RECENT_OBSERVATIONS_MAX, backwards=True
            )
        ):
            recent = [*older, *recent]
        return ObservationHistory(tuple(seen for seen in recent if carried.is_older_than(seen)), carried)

    def commit(self, learned: FactCommit) -> None:
        write_transaction(self._table.meta.client, self._writes(learned), doing="committing facts")

    def _writes(self, learned: FactCommit) -> list[Any]:
        pk = user_pk(learned.profile.owner)
        versions = [
            {"pk": pk, "sk": observation_sk(seen), "body": seen.model_dump_json()}
            for seen in learned.observations
        ]
        revision = learned.profile.version
        items = [*versions, *(fact_item(pk, fact, revision=revision) for fact in learned.facts)]
        puts = [{"Put": {"TableName": self._table.name, "Item": item}} for item in items]
        profile = [profile_write(self._table.name, learned.profile)] if learned.facts else []
        new = (
            recording_writes(self._table.name, event, extracted=learned.extractor)
            for event in learned.new_events
        )
        read = (self._read_by(learned, event.event.event_id) for event in learned.events)
        carried = [snapshot_write(self._table.name, pk, key, known) for key, known in learned.carried.items()]
        return [*profile, *puts, *carried, *chain.from_iterable(new), *read]

    def _read_by(self, learned: FactCommit, event_id: str) -> dict[str, Any]:
        changes, names, values = (
            ["extracted = :extractor"],
            dict[str, str](),
            {":extractor": learned.extractor, ":forgotten": FORGOTTEN},
        )
        if share := learned.shares.get(event_id):
            changes.append("took = :took")
            values[":took"] = share.model_dump_json()
        if (asked := learned.asked) and event_id in asked.answers:
            changes.append("#answer = :answer")
            names["#answer"] = answer_attribute(asked.prompt_version, asked.model)
            values[":answer"] = ANSWERS_ADAPTER.dump_json(tuple(asked.answers[event_id])).decode()
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": identity_key(learned.profile.owner.tenant, event_id),
                "UpdateExpression": f"SET {', '.join(changes)}",
                "ConditionExpression": (
                    "attribute_exists(pk) AND"
                    " (attribute_not_exists(extracted) OR NOT extracted IN (:extractor, :forgotten))"
                ),
                "ExpressionAttributeValues": values,
                **({"ExpressionAttributeNames": names} if names else {}),
            }
        }
