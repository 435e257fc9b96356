"""Episodes in DynamoDB, each beside its event's one identity.

pk `T#<tenant>#EV#<event id>`, sk `EVENT`: where the episode lies and which extractor has read it.
pk `T#<tenant>#A#<agent>#E#<yyyy-mm-dd>`, sk `<ulid of occurred_at>#<event id>`: the episode; index `by_user` by user
and time; sparse index `unarchived` until its cold copy is verified.
"""

import zlib
from datetime import UTC
from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import dynamo_errors
from membus.domain.event import FORGOTTEN, Recorded, ulid_at
from membus.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ARCHIVE_SHARDS = 16
"""The archiver's index is written once per event by every tenant: one partition of it takes 1,000 writes a second."""


class DynamoEpisodes:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def record(self, recorded: Recorded, *, extracted: str | None) -> Recorded:
        try:
            with dynamo_errors("recording an event"):
                writes = recording(self._table.name, recorded, extracted=extracted)
                self._table.meta.client.transact_write_items(TransactItems=writes)
        except ConflictError:
            return self._known(recorded)
        return recorded.model_copy(update={"extracted": extracted})

    def forget(self, recorded: Recorded) -> None:
        identity = identity_key(recorded.event.tenant_id, recorded.event.event_id) | {"extracted": FORGOTTEN}
        try:
            with dynamo_errors("forgetting an event"):
                self._table.put_item(Item=identity, ConditionExpression="attribute_not_exists(pk)")
        except ConflictError:
            return  # the same id was recorded before: the first copy decides

    def _known(self, recorded: Recorded) -> Recorded:
        """Return the first copy; a transaction that merely collided left none and asks for another try."""
        key = identity_key(recorded.event.tenant_id, recorded.event.event_id)
        with dynamo_errors("reading an event's identity"):
            identity: dict[str, Any] | None = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        if identity is None:
            raise ConflictError("two copies of one event arrived at once")
        if "episode_pk" not in identity:
            return recorded.model_copy(update={"extracted": FORGOTTEN})
        where = {"pk": identity["episode_pk"], "sk": identity["episode_sk"]}
        with dynamo_errors("reading an episode"):
            episode = self._table.get_item(Key=where, ConsistentRead=True)["Item"]
        first = Recorded.model_validate_json(str(episode["body"]))
        return first.model_copy(update={"extracted": identity.get("extracted")})


def recording(table_name: str, recorded: Recorded, *, extracted: str | None) -> list[Any]:
    """Return the two writes of a transaction that record an event, if its id is new: its identity and its episode."""
    episode = _episode(recorded)
    identity = identity_key(recorded.event.tenant_id, recorded.event.event_id) | {
        "episode_pk": episode["pk"], "episode_sk": episode["sk"],
    }  # fmt: skip
    if extracted:
        identity["extracted"] = extracted
    first = {"TableName": table_name, "Item": identity, "ConditionExpression": "attribute_not_exists(pk)"}
    return [{"Put": first}, {"Put": {"TableName": table_name, "Item": episode}}]


def identity_key(tenant: str, event_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#EV#{event_id}", "sk": "EVENT"}


def _episode(recorded: Recorded) -> dict[str, Any]:
    event = recorded.event
    occurred = event.occurred_at.astimezone(UTC)
    pk = f"T#{event.tenant_id}#A#{event.agent_id}#E#{occurred:%Y-%m-%d}"
    sk = f"{ulid_at(occurred, event.event_id)}#{event.event_id}"
    return {
        "pk": pk, "sk": sk,
        "user_pk": f"T#{event.tenant_id}#U#{event.user_id}", "user_sk": sk,
        "unarchived": f"UNARCHIVED#{zlib.crc32(pk.encode()) % ARCHIVE_SHARDS:02d}",
        "body": recorded.model_dump_json(by_alias=True, exclude={"extracted"}),
    }  # fmt: skip
