"""Episodes written to DynamoDB, each once; `episode_items` says how they lie there."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.adapters.dynamo_transactions import write_transaction
from membus.adapters.episode_items import identity_key, large_payload, load_recorded, recording_writes
from membus.domain.event import FORGOTTEN, RecordedEvent
from membus.errors import ConflictError, UnavailableError
from membus.ports.contents import BlobStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoEpisodes:
    """`shards` is over how many partitions one day of one agent is spread.

    It may grow and must not shrink.
    """

    def __init__(self, table: "Table", contents: BlobStore, shards: int = 1) -> None:
        self._table, self._contents, self._shards = table, contents, shards

    def record(self, recorded: RecordedEvent, *, extracted: str | None) -> RecordedEvent:
        outside = large_payload(recorded.event)
        if outside:
            self._contents.keep(outside.key, outside.text)
        writes = recording_writes(
            self._table.name, recorded, extracted=extracted, spilled=outside, shards=self._shards
        )
        try:
            write_transaction(self._table.meta.client, writes, doing="recording an event")
        except ConflictError:
            return self._known(recorded, outside.key if outside else None)
        return recorded.model_copy(update={"extracted": extracted})

    def forget(self, recorded: RecordedEvent) -> None:
        identity = identity_key(recorded.event.tenant_id, recorded.event.event_id) | {"extracted": FORGOTTEN}
        try:
            with translate_dynamodb_errors("forgetting an event"):
                self._table.put_item(Item=identity, ConditionExpression="attribute_not_exists(pk)")
        except ConflictError:
            return  # the same id was recorded before: the first copy decides

    def _known(self, recorded: RecordedEvent, kept: str | None) -> RecordedEvent:
        """Return the first copy; a transaction that merely collided left none and asks for another try.

        What was kept for a copy that says something else has nobody to point to it; of an episode that lies
        in the archive alone, nobody looks whether it does, and the copy speaks for it.
        """
        key = identity_key(recorded.event.tenant_id, recorded.event.event_id)
        with translate_dynamodb_errors("reading an event's identity"):
            identity: dict[str, Any] | None = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        if identity is None:
            raise ConflictError("two copies of one event arrived at once")
        episode = self._episode(identity)
        known = "episode_pk" not in identity or bool(episode)
        if kept and known and kept != episode.get("spilled"):
            with suppress(UnavailableError):
                self._contents.drop(kept)
        first = load_recorded(episode, self._contents) if episode else recorded
        return first.model_copy(update={"extracted": identity.get("extracted")})

    def _episode(self, identity: dict[str, Any]) -> dict[str, Any]:
        """Return the item of an episode, empty for an event that left no trace or whose hot copy has expired."""
        if "episode_pk" not in identity:
            return {}
        where = {"pk": identity["episode_pk"], "sk": identity["episode_sk"]}
        with translate_dynamodb_errors("reading an episode"):
            found: dict[str, Any] | None = self._table.get_item(Key=where, ConsistentRead=True).get("Item")
        if found is None and "extracted" not in identity:
            raise UnavailableError("this event is being erased or moved right now")
        return found or {}
