"""How an episode lies in DynamoDB, beside its event's one identity.

pk `T#<tenant>#EV#<event id>`, sk `EVENT`: where the episode lies and which extractor has read it. pk
`T#<tenant>#A#<agent>#E#<yyyy-mm-dd>`, sk `<ulid of occurred_at>#<event id>`: the episode; index `by_user` by
user and time; sparse index `unarchived` until its cold copy is verified. A busy agent's day has more
partitions than one, `#<shard>` at the end of the pk; the first has none, so that a day written before there
were shards is read as before. A payload above 32 KB lies in the content store and `spilled` names it, by its
hash: a copy of the event finds it there.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from membus.domain.episode import place_of
from membus.domain.erasure import erasure_subject
from membus.domain.event import Event, RecordedEvent
from membus.domain.spill import is_large_text
from membus.errors import UnavailableError
from membus.ports.contents import BlobStore

ARCHIVE_SHARDS = 16
"""The archiver's index is written once per event by every tenant.

One partition of it takes 1,000 writes a second.
"""


@dataclass(frozen=True)
class LargePayload:
    """A payload that lies outside its item."""

    key: str
    text: str


def large_payload(event: Event) -> LargePayload | None:
    """Return the payload of an event that is too large to lie in an item."""
    text = json.dumps(event.payload, ensure_ascii=False, separators=(",", ":"))
    if not is_large_text(text):
        return None
    name = hashlib.sha256(f"{event.event_id}\n{text}".encode()).hexdigest()
    return LargePayload(f"{texts_prefix(event.tenant_id, event.user_id)}{name}", text)


def texts_prefix(tenant: str, user: str) -> str:
    """Return where a user's large payloads lie, together, so that all of them can be found and none names the user."""
    return f"episodes/{tenant}/{erasure_subject(tenant, user)}/"


def recording_writes(
    table_name: str,
    recorded: RecordedEvent,
    *,
    extracted: str | None,
    spilled: LargePayload | None = None,
    shards: int = 1,
) -> list[Any]:
    """Return the two writes of a transaction that record an event, if its id is new.

    Its identity and its episode.
    """
    episode = _episode(recorded, spilled, shards)
    identity = identity_key(recorded.event.tenant_id, recorded.event.event_id) | {
        "episode_pk": episode["pk"],
        "episode_sk": episode["sk"],
    }
    if extracted:
        identity["extracted"] = extracted
    first = {"TableName": table_name, "Item": identity, "ConditionExpression": "attribute_not_exists(pk)"}
    return [{"Put": first}, {"Put": {"TableName": table_name, "Item": episode}}]


def load_recorded(item: dict[str, Any], contents: BlobStore) -> RecordedEvent:
    """Return what an episode's item holds, its payload from wherever it lies."""
    recorded = RecordedEvent.model_validate_json(str(item["body"]))
    if "spilled" not in item:
        return recorded
    text = contents.text(str(item["spilled"]))
    if text is None:
        raise UnavailableError(f"the payload of event {recorded.event.event_id} cannot be found")
    return recorded.model_copy(
        update={"event": recorded.event.model_copy(update={"payload": json.loads(text)})}
    )


def identity_key(tenant: str, event_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#EV#{event_id}", "sk": "EVENT"}


def answer_attribute(prompt_version: str, model: str) -> str:
    """Return the attribute of an identity that keeps what a model proposed for the event."""
    return f"answer:{prompt_version}:{model}"


def day_partitions(tenant: str, agent: str, day: date, shards: int) -> Sequence[str]:
    """Return the partition keys that one agent's day is spread over."""
    first = f"{agent_prefix(tenant, agent)}{day:%Y-%m-%d}"
    return [first, *(f"{first}#{shard}" for shard in range(1, shards))]


def agent_prefix(tenant: str, agent: str) -> str:
    return f"T#{tenant}#A#{agent}#E#"


def user_key(tenant: str, user: str) -> str:
    return f"T#{tenant}#U#{user}"


def _episode(recorded: RecordedEvent, spilled: LargePayload | None, shards: int) -> dict[str, Any]:
    event = recorded.event
    occurred = event.occurred_at.astimezone(UTC)
    days = day_partitions(event.tenant_id, event.agent_id, occurred.date(), shards)
    pk = days[zlib.crc32(event.event_id.encode()) % shards]
    sk = place_of(event)
    kept = (
        recorded.model_copy(update={"event": event.model_copy(update={"payload": {}})})
        if spilled
        else recorded
    )
    return {
        "pk": pk,
        "sk": sk,
        "user_pk": user_key(event.tenant_id, event.user_id),
        "user_sk": sk,
        "unarchived": f"UNARCHIVED#{zlib.crc32(pk.encode()) % ARCHIVE_SHARDS:02d}",
        "body": kept.model_dump_json(by_alias=True, exclude={"extracted"}),
        **({"session_id": event.session_id} if event.session_id else {}),
        **({"spilled": spilled.key, "spilled_bytes": len(spilled.text.encode())} if spilled else {}),
    }
