"""The cache of live conversations in Valkey: compressed records that live for half an hour.

Keys: `{T#<tenant>#C#<conversation>}#WINDOW`, `…#ENTITIES`, `…#STEPS#<request>`, and
`{T#<tenant>#U#<user>}#FRESH`. A command names one key, and the part in braces keeps a conversation's keys on
one shard of a cluster.
"""

import hashlib
import threading
import time
import zlib
from collections.abc import Callable
from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError
from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as UnreachableError
from redis.exceptions import RedisClusterException, RedisError
from redis.exceptions import TimeoutError as SlowError
from redis.retry import Retry

from membus.aws.dynamodb.keys import conversation_pk, user_pk
from membus.conversations.cache_records import CachedEntities, CachedProgress, CachedUnprocessed, CachedWindow
from membus.conversations.entities import EntitySnapshot
from membus.conversations.ports import CacheRecord
from membus.conversations.reply_jobs import StepProgress
from membus.core.identity import Owner

if TYPE_CHECKING:
    from redis.credentials import CredentialProvider

Kind = TypeVar("Kind", CachedWindow, CachedEntities, CachedProgress, CachedUnprocessed)

LIFETIME_SECONDS = 1_800
CONNECT_SECONDS = 1.0
"""For a connection with TLS handshake and login, which a small function and IAM take their time for."""
ANSWER_SECONDS = 0.1
"""A cache that takes longer for an answer is slower than the table behind it."""
UNAVAILABLE_SECONDS = 30.0
"""A cache that failed is not asked for so long: one request in half a minute pays the timeout."""
IDLE_SECONDS = 20
"""A connection that slept longer, as in a frozen execution environment, is tried before it is used."""
BYTES_MAX = 512_000
"""What is larger costs more to carry than it saves."""


class ValkeyCache:
    """`connect` makes the client at the first use; `on_away` is told, once each time, why it is not asked."""

    def __init__(self, connect: Callable[[], "Redis | RedisCluster"], on_away: Callable[[str], None]) -> None:
        self._connect, self._on_away = connect, on_away
        self._client: Redis | RedisCluster | None = None
        self._lock = threading.Lock()
        self._away_until = 0.0

    @property
    def is_unavailable(self) -> bool:
        return time.monotonic() < self._away_until

    def get_window(self, tenant: str, conversation_id: str) -> CachedWindow | None:
        return self._held(_conversation_key(tenant, conversation_id, "WINDOW"), CachedWindow)

    def get_entities(self, tenant: str, conversation_id: str) -> EntitySnapshot | None:
        held = self._held(_conversation_key(tenant, conversation_id, "ENTITIES"), CachedEntities)
        return held.folded if held else None

    def get_progress(self, tenant: str, conversation_id: str, request_key: str) -> StepProgress | None:
        held = self._held(_progress_key(tenant, conversation_id, request_key), CachedProgress)
        return held.progress if held else None

    def get_unprocessed(self, owner: Owner) -> CachedUnprocessed | None:
        return self._held(_unprocessed_key(owner), CachedUnprocessed)

    def put(self, held: CacheRecord) -> None:
        key, packed = _record_key(held), zlib.compress(held.model_dump_json().encode(), 1)
        if len(packed) > BYTES_MAX:
            self._ask(lambda client: client.delete(key))
        else:
            self._ask(lambda client: client.set(key, packed, ex=LIFETIME_SECONDS))

    def evict_conversation(self, tenant: str, conversation_id: str) -> None:
        for key in (_conversation_key(tenant, conversation_id, what) for what in ("WINDOW", "ENTITIES")):
            self._ask(methodcaller("delete", key))

    def evict_user(self, owner: Owner) -> None:
        self._ask(methodcaller("delete", _unprocessed_key(owner)))

    def _held(self, key: str, kind: type[Kind]) -> Kind | None:
        """Return the record, None for what another version wrote or what belongs under another key."""
        packed = self._ask(lambda client: client.get(key))
        try:
            held = kind.model_validate_json(zlib.decompress(packed)) if packed else None
        except (zlib.error, ValidationError):
            return None
        return held if held and _record_key(held) == key else None

    def _ask(self, command: Callable[["Redis | RedisCluster"], Any]) -> Any:
        """Return the answer; None while the cache is not asked, which a failure starts."""
        if self.is_unavailable:
            return None
        try:
            with self._lock:
                self._client = self._client or self._connect()
            return command(self._client)
        except (RedisError, RedisClusterException, OSError) as error:
            self._away_until = time.monotonic() + UNAVAILABLE_SECONDS
            self._on_away(type(error).__name__)
            return None


def connect_valkey(
    url: str, *, cluster: bool, credentials: "CredentialProvider | None" = None
) -> "Redis | RedisCluster":
    """Return a client of `url` (`rediss://` speaks TLS); credentials are asked for each new connection."""
    settings: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": CONNECT_SECONDS,  # while a connection is made; _hurry shortens it afterwards
        "protocol": 2,
        "health_check_interval": IDLE_SECONDS,
        "credential_provider": credentials,
    }
    # Once more, for a socket that died in its sleep; a timeout is not tried again beyond that.
    settings["retry"] = Retry(NoBackoff(), 1, supported_errors=(UnreachableError, SlowError))
    if cluster:  # which logs in before it calls the function
        return RedisCluster.from_url(url, redis_connect_func=_hurry, **settings)
    return Redis.from_url(url, redis_connect_func=_log_in, **settings)


def _log_in(connection: Any) -> None:
    connection.on_connect()
    _hurry(connection)


def _hurry(connection: Any) -> None:
    """Give each answer of a connection that is made and logged in its own, shorter time."""
    connection.update_current_socket_timeout(ANSWER_SECONDS)
    # redis-py forgets the parser of the older protocol, which sets the former time again before each command.
    connection._parser._buffer.socket_timeout = ANSWER_SECONDS  # noqa: SLF001


def _record_key(held: CacheRecord) -> str:
    if isinstance(held, CachedUnprocessed):
        return _unprocessed_key(held.owner)
    if isinstance(held, CachedProgress):
        return _progress_key(held.tenant_id, held.conversation_id, held.request_key)
    return _conversation_key(
        held.tenant_id, held.conversation_id, "WINDOW" if isinstance(held, CachedWindow) else "ENTITIES"
    )


def _conversation_key(tenant: str, conversation_id: str, what: str) -> str:
    return f"{{{conversation_pk(tenant, conversation_id)}}}#{what}"


def _progress_key(tenant: str, conversation_id: str, request_key: str) -> str:
    return _conversation_key(
        tenant, conversation_id, f"STEPS#{hashlib.sha256(request_key.encode()).hexdigest()}"
    )


def _unprocessed_key(owner: Owner) -> str:
    return f"{{{user_pk(owner)}}}#FRESH"
