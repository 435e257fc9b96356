"""Keys of DynamoDB items: the only module that writes partition keys and reads them.

Ids hold no `#`, so a key splits into its parts. Terraform grants functions the same keys as patterns
(`terraform/modules/platform/key_layout.tf`); a test compares the two.

Table `memory`
    T#<tenant>#U#<user>           PROFILE | FACT#<key> | FACTV#<key>#<learned ms>#<event> | FACTC#<key>
                                  QUAR#<id> | SIGNAL#<name>#<group>#<ms>#<event> | DOC#<memory>
                                  STATE#<agent>#<session>
    T#<tenant>#A#<agent>          STATE#<session>
    T#<tenant>#A#<agent>#E#<day>  <ulid>#<event>; a busy agent's day has more partitions, `#<shard>` behind
    T#<tenant>#EV#<digest>        EVENT; the digest is of user and event, so that an erased event's key names neither
    T#<tenant>#D#<memory>         DOC
    T#<tenant>#COLD               <agent>#<first day>#<name>
Table `conversations`
    T#<tenant>#C#<conversation>   META | MEMBER#<user> | MSG#<ulid> | TURN#<request> | PROMPT#<ulid>
                                  PENDING#<request> | STEPS#<request> | SUMMARY#<level>#<first> | SLOTS
                                  SLOTS#<version>
    T#<tenant>#C#<request>        REQUEST
    T#<tenant>#U#<user>           FRESH#<place> | FRESHNESS | TALK#<conversation>
    T#<tenant>#W#<connection>     CONNECTION
Table `tenants`
    KEY#<key id>                  KEY
    T#<tenant>                    META | KEY#<key id> | SHADOW#<name>
    T#<tenant>#USAGE              USAGE#<day>#<function>#<model>#<shard>
    T#<tenant>#RATE               requests | events
    T#<tenant>#SETTINGS           CURRENT | VERSION#<number>
    T#<tenant>#ERASED             USER#<subject> | RUNNING#<subject> | HOLD#<subject>
    T#<tenant>#JOB                <job> | <job>#<attempt>#<part>
"""

import hashlib
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from membus.core.identity import Owner

ItemKey = dict[str, str]
ItemKind = Literal["fact", "episode", "document", "summary"]

EVENT_DIGEST_CHARACTERS = 32
TENANT_PREFIX, API_KEY_PREFIX = "T#", "KEY#"
FACT_PREFIX, SUMMARY_PREFIX, DOCUMENT_SK = "FACT#", "SUMMARY#", "DOC"


class AgentDay(NamedTuple):
    """One agent's episodes of one day, however many partitions they are spread over."""

    tenant: str
    agent: str
    day: date


def tenant_pk(tenant: str) -> str:
    return f"{TENANT_PREFIX}{tenant}"


def user_pk(owner: "Owner") -> str:
    return f"T#{owner.tenant}#U#{owner.user}"


def users_prefix(tenant: str) -> str:
    return f"T#{tenant}#U#"


def agent_pk(tenant: str, agent: str) -> str:
    return f"T#{tenant}#A#{agent}"


def agents_prefix(tenant: str) -> str:
    return f"T#{tenant}#A#"


def days_prefix(tenant: str, agent: str) -> str:
    return f"T#{tenant}#A#{agent}#E#"


def day_pks(day: AgentDay, shards: int) -> list[str]:
    """Return the partitions of an agent's day; the first has no number, as before there were shards."""
    first = f"{days_prefix(day.tenant, day.agent)}{day.day:%Y-%m-%d}"
    return [first, *(f"{first}#{shard}" for shard in range(1, shards))]


def event_pk(owner: "Owner", event_id: str) -> str:
    """Return the partition of an event's identity: tenant, user and id, of which user and id are hashed."""
    digest = hashlib.sha256(f"{owner.user}\n{event_id}".encode()).hexdigest()
    return f"{events_prefix(owner.tenant)}{digest[:EVENT_DIGEST_CHARACTERS]}"


def events_prefix(tenant: str) -> str:
    return f"T#{tenant}#EV#"


def document_pk(tenant: str, memory_id: str) -> str:
    return f"T#{tenant}#D#{memory_id}"


def catalog_pk(tenant: str) -> str:
    return f"T#{tenant}#COLD"


def unarchived_pk(shard: int) -> str:
    """Return a partition of the index `unarchived`: episodes without a verified cold copy."""
    return f"UNARCHIVED#{shard:02d}"


def uncompacted_pk(shard: int) -> str:
    """Return a partition of the index `unarchived`: catalog entries that no compaction has looked at."""
    return f"UNCOMPACTED#{shard:02d}"


def conversation_pk(tenant: str, conversation_id: str) -> str:
    return f"T#{tenant}#C#{conversation_id}"


def connection_pk(tenant: str, connection_id: str) -> str:
    return f"T#{tenant}#W#{connection_id}"


def status_pk(tenant: str, status: str, user: str | None) -> str:
    """Return a partition of the index `by_status`: a tenant's conversations, or those of one user."""
    return f"T#{tenant}#U#{user}#{status}" if user else f"T#{tenant}#{status}"


def api_key_pk(key_id: str) -> str:
    return f"{API_KEY_PREFIX}{key_id}"


def usage_pk(tenant: str) -> str:
    return f"T#{tenant}#USAGE"


def rate_limit_pk(tenant: str) -> str:
    return f"T#{tenant}#RATE"


def settings_pk(tenant: str) -> str:
    return f"T#{tenant}#SETTINGS"


def erased_pk(tenant: str) -> str:
    return f"T#{tenant}#ERASED"


def job_pk(tenant: str) -> str:
    return f"T#{tenant}#JOB"


def parse_user_key(pk: str) -> tuple[str, str] | None:
    """Return the tenant and the user."""
    match pk.split("#"):
        case ["T", tenant, "U", user]:
            return tenant, user
    return None


def parse_conversation_key(pk: str) -> tuple[str, str] | None:
    """Return the tenant and the conversation."""
    match pk.split("#"):
        case ["T", tenant, "C", conversation_id]:
            return tenant, conversation_id
    return None


def parse_day_key(pk: str) -> AgentDay | None:
    match pk.split("#"):
        case ["T", tenant, "A", agent, "E", day] | ["T", tenant, "A", agent, "E", day, _]:
            with suppress(ValueError):
                return AgentDay(tenant, agent, date.fromisoformat(day))
    return None


def tenant_of(pk: str) -> str:
    """Return the tenant of any partition but an API key's."""
    return pk.split("#")[1]


def item_kind(pk: str, sk: str) -> ItemKind | None:
    """Return what kind of memory an item holds; None for what no search finds."""
    if parse_user_key(pk):
        return "fact" if sk.startswith(FACT_PREFIX) else None
    if parse_conversation_key(pk):
        return "summary" if sk.startswith(SUMMARY_PREFIX) else None
    if parse_day_key(pk):
        return "episode"
    return "document" if sk == DOCUMENT_SK else None
