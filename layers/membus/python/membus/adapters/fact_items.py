"""The items of facts, in the layout that `dynamo_facts` describes."""

from typing import Any

from membus.domain.carrying import ObservationPosition, ObservationSnapshot, position_of
from membus.domain.facts import Fact
from membus.domain.identity import Owner
from membus.domain.observations import Observation
from membus.domain.profile import Profile


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
    return item | ({"retracted": True} if fact.retracted else {})


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
