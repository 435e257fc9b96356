"""The hot tier in Valkey: key `{T#<tenant>#C#<conversation>}#WINDOW`, a deflated HotWindow that lives for half an hour.

One key a command and the hash tag in braces, so that a cluster never splits what belongs together.
"""

import threading
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as UnreachableError
from redis.exceptions import RedisClusterException, RedisError
from redis.exceptions import TimeoutError as SlowError
from redis.retry import Retry

from membus.domain.hot_window import HotWindow

if TYPE_CHECKING:
    from redis.credentials import CredentialProvider

LIFETIME_SECONDS = 1_800
CONNECT_SECONDS, ANSWER_SECONDS = 0.25, 0.1
"""A tier that takes longer is slower than the table behind it."""
AWAY_SECONDS = 30.0
"""A tier that failed is left alone that long: one request in half a minute pays the timeout, the others nothing."""
IDLE_SECONDS = 20
"""A connection that slept longer, as in a frozen execution environment, is tried before it is used."""
BYTES_MAX = 512_000
"""What is larger costs more to carry than it saves."""


class ValkeyHotTier:
    """`connect` makes the client at the first use; `on_away` hears why the tier is left alone, once each time."""

    def __init__(self, connect: Callable[[], "Redis | RedisCluster"], on_away: Callable[[str], None]) -> None:
        self._connect, self._on_away = connect, on_away
        self._client: Redis | RedisCluster | None = None
        self._lock = threading.Lock()
        self._away_until = 0.0

    @property
    def away(self) -> bool:
        return time.monotonic() < self._away_until

    def window(self, tenant: str, conversation_id: str) -> HotWindow | None:
        packed = self._ask(lambda client: client.get(_key(tenant, conversation_id)))
        window = _read(packed) if packed else None
        mine = window is not None and (window.tenant_id, window.conversation_id) == (tenant, conversation_id)
        return window if mine else None

    def keep(self, window: HotWindow) -> None:
        key, packed = (
            _key(window.tenant_id, window.conversation_id),
            zlib.compress(window.model_dump_json().encode(), 1),
        )
        if len(packed) > BYTES_MAX:
            self._ask(lambda client: client.delete(key))
        else:
            self._ask(lambda client: client.set(key, packed, ex=LIFETIME_SECONDS))

    def drop(self, tenant: str, conversation_id: str) -> None:
        self._ask(lambda client: client.delete(_key(tenant, conversation_id)))

    def _ask(self, command: Callable[["Redis | RedisCluster"], Any]) -> Any:
        """Return the answer, None while the tier is left alone; a failure leaves it alone from now on."""
        if self.away:
            return None
        try:
            with self._lock:
                self._client = self._client or self._connect()
            return command(self._client)
        except (RedisError, RedisClusterException, OSError) as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            self._on_away(type(error).__name__)
            return None


def connect(url: str, *, cluster: bool, credentials: "CredentialProvider | None" = None) -> "Redis | RedisCluster":
    """Return a client of `url` (`rediss://` speaks TLS); credentials are asked for each new connection."""
    settings: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS, "protocol": 2,
        "health_check_interval": IDLE_SECONDS, "credential_provider": credentials,
    }  # fmt: skip
    # Once more, for a socket that died in its sleep; a timeout is not tried again beyond that.
    settings["retry"] = Retry(NoBackoff(), 1, supported_errors=(UnreachableError, SlowError))
    return RedisCluster.from_url(url, **settings) if cluster else Redis.from_url(url, **settings)


def _key(tenant: str, conversation_id: str) -> str:
    return f"{{T#{tenant}#C#{conversation_id}}}#WINDOW"


def _read(packed: bytes) -> HotWindow | None:
    """Return the window, None for what another version wrote: it is read again from the store."""
    try:
        return HotWindow.model_validate_json(zlib.decompress(packed))
    except (zlib.error, ValidationError):
        return None
