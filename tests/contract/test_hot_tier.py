"""The port HotTier.

It holds a live conversation's window for its own tenant, and fails as if it held nothing.
"""

import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from boto3.session import Session
from redis import Redis

from membus.conversations.cache_records import CachedEntities, CachedProgress, CachedUnprocessed, CachedWindow
from membus.conversations.entities import EntitySnapshot
from membus.conversations.ports import CacheRecord, ConversationCache
from membus.conversations.reply_jobs import StepProgress
from membus.conversations.unprocessed_messages import unprocessed_from_turn
from membus.conversations.valkey import BYTES_MAX, UNAVAILABLE_SECONDS, ValkeyCache, connect_valkey
from membus.conversations.valkey_login import ElastiCacheCredentials
from membus.core.identity import Owner
from membus.core.tokens import TokenUsage
from tests.factories import ADA, a_message, a_turn
from tests.fakes.cache import InMemoryConversationCache
from tests.support.redis_server import RedisServer, redis_server

HOT_TIER = Path(__file__).parents[2] / "terraform/modules/hot_tier/main.tf"
HELLO = CachedWindow(
    tenant_id="acme", conversation_id="c1", stored=2, limit=80, messages=(a_message("hello ☂"),)
)


FOLDED = EntitySnapshot.from_messages([a_message("Where is order 4417?")])
PROGRESS = StepProgress(request="asked", steps=(), usage=TokenUsage(input=1, output=1))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis") / "home") as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[Redis]:
    server.start()
    with Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def valkey(server: RedisServer, client: Redis, told: list[str]) -> ValkeyCache:  # noqa: ARG001 - emptied
    return ValkeyCache(lambda: connect_valkey(server.url, cluster=False), told.append)


@pytest.fixture(params=["fake", "valkey"])
def tier(request: pytest.FixtureRequest) -> ConversationCache:
    return InMemoryConversationCache() if request.param == "fake" else request.getfixturevalue("valkey")


def test_cached_value_is_read_until_it_is_deleted(tier: ConversationCache) -> None:
    assert tier.get_window("acme", "c1") is None
    tier.put(HELLO)
    assert tier.get_window("acme", "c1") == HELLO
    tier.evict_conversation("acme", "c1")
    tier.evict_conversation("acme", "c1")
    assert tier.get_window("acme", "c1") is None
    assert not tier.is_unavailable


def test_last_cached_value_wins(tier: ConversationCache) -> None:
    tier.put(HELLO)
    tier.put(HELLO.model_copy(update={"stored": 4}))

    window = tier.get_window("acme", "c1")
    assert window is not None
    assert window.stored == 4


def test_cache_entries_belong_to_one_tenant_and_conversation(tier: ConversationCache) -> None:
    tier.put(HELLO)

    assert tier.get_window("zeta", "c1") is None
    assert tier.get_window("acme", "c2") is None


@pytest.mark.parametrize(
    ("held", "read", "foreign"),
    [
        (
            CachedEntities(tenant_id="acme", conversation_id="c1", folded=FOLDED),
            lambda tier: tier.get_entities("acme", "c1"),
            lambda tier: (tier.get_entities("zeta", "c1"), tier.get_entities("acme", "c2")),
        ),
        (
            CachedProgress(tenant_id="acme", conversation_id="c1", request_key="k", progress=PROGRESS),
            lambda tier: tier.get_progress("acme", "c1", "k"),
            lambda tier: (tier.get_progress("zeta", "c1", "k"), tier.get_progress("acme", "c1", "k2")),
        ),
        (
            CachedUnprocessed(
                owner=ADA, stamp="s1", words=(unprocessed_from_turn(a_turn(1, content="☂"), "c2"),)
            ),
            lambda tier: tier.get_unprocessed(ADA),
            lambda tier: (
                tier.get_unprocessed(Owner(tenant="zeta", user="ada")),
                tier.get_unprocessed(Owner(tenant="acme", user="bob")),
            ),
        ),
    ],
)
def test_every_kind_of_entry_belongs_to_its_tenant_and_place(
    tier: ConversationCache,
    held: CacheRecord,
    read: Callable[[ConversationCache], Any],
    foreign: Callable[[ConversationCache], tuple[object, object]],
) -> None:
    assert read(tier) is None
    tier.put(held)

    assert read(tier) in (held, getattr(held, "folded", None), getattr(held, "progress", None))
    assert foreign(tier) == (None, None)


def test_unprocessed_messages_of_one_user_are_deleted_alone(tier: ConversationCache) -> None:
    said, others = (unprocessed_from_turn(a_turn(1, content="☂"), "c2"),), Owner(tenant="zeta", user="ada")
    for owner in (ADA, others):
        tier.put(CachedUnprocessed(owner=owner, stamp="s1", words=said))

    tier.evict_user(ADA)
    tier.evict_user(ADA)

    assert tier.get_unprocessed(ADA) is None
    assert tier.get_unprocessed(others)


def test_deleting_a_conversation_deletes_all_its_entries(tier: ConversationCache) -> None:
    tier.put(HELLO)
    tier.put(CachedEntities(tenant_id="acme", conversation_id="c1", folded=FOLDED))

    tier.evict_conversation("acme", "c1")

    assert (tier.get_window("acme", "c1"), tier.get_entities("acme", "c1")) == (None, None)


def test_entry_lives_half_an_hour_under_the_tenants_key(valkey: ValkeyCache, client: Redis) -> None:
    valkey.put(HELLO)

    assert client.keys() == [b"{T#acme#C#c1}#WINDOW"]
    assert 1_790 < client.ttl("{T#acme#C#c1}#WINDOW") <= 1_800


def test_window_under_the_key_of_another_tenant_is_ignored(valkey: ValkeyCache, client: Redis) -> None:
    valkey.put(HELLO)
    client.rename("{T#acme#C#c1}#WINDOW", "{T#zeta#C#c1}#WINDOW")

    assert valkey.get_window("zeta", "c1") is None


@pytest.mark.parametrize("junk", [b"", b"junk", b"x\x9c", b"{}"])
def test_entry_of_another_version_is_ignored(valkey: ValkeyCache, client: Redis, junk: bytes) -> None:
    client.set("{T#acme#C#c1}#WINDOW", junk)

    assert valkey.get_window("acme", "c1") is None
    assert not valkey.is_unavailable


def test_oversized_window_is_not_cached(valkey: ValkeyCache) -> None:
    noise = tuple(a_message(secrets.token_hex(BYTES_MAX // 10)) for _ in range(12))
    valkey.put(HELLO)
    valkey.put(HELLO.model_copy(update={"stored": 4, "messages": noise}))

    assert valkey.get_window("acme", "c1") is None


def test_failed_cache_is_empty_logs_once_and_is_not_called(
    server: RedisServer, valkey: ValkeyCache, told: list[str]
) -> None:
    valkey.put(HELLO)
    server.kill()

    for _ in range(3):
        assert valkey.get_window("acme", "c1") is None
        valkey.put(HELLO)
        valkey.evict_conversation("acme", "c1")
    assert valkey.is_unavailable
    assert told == ["ConnectionError"]


def test_failed_cache_is_called_again_after_half_a_minute(
    server: RedisServer, valkey: ValkeyCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.kill()
    valkey.put(HELLO)
    server.start()
    assert valkey.is_unavailable
    later = time.monotonic() + UNAVAILABLE_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)

    valkey.put(HELLO)
    assert valkey.get_window("acme", "c1") == HELLO
    assert not valkey.is_unavailable


def test_dead_cache_connection_is_opened_again(
    server: RedisServer, valkey: ValkeyCache, told: list[str]
) -> None:
    valkey.put(HELLO)
    server.kill()
    server.start()

    valkey.put(HELLO)
    assert valkey.get_window("acme", "c1") == HELLO
    assert told == []


def test_cluster_accepts_a_role_with_the_rights_of_terraform(tmp_path: Path, told: list[str]) -> None:
    rights = re.search(r'access_string = "on (.+)"', HOT_TIER.read_text(encoding="utf-8"))
    assert rights
    with (
        redis_server(tmp_path / "home", "--cluster-enabled", "yes") as server,
        Redis(port=server.port) as node,
    ):
        node.execute_command("CLUSTER", "ADDSLOTS", *range(16_384))
        node.execute_command("ACL", "SETUSER", "membus-test-hot", "on", "nopass", *rights[1].split())
        deadline = time.monotonic() + 20
        while (
            b"cluster_state:ok" not in node.execute_command("CLUSTER", "INFO") and time.monotonic() < deadline
        ):
            time.sleep(0.05)
        login = ElastiCacheCredentials("membus-test-hot", Session("AKIA", "secret", region_name="us-east-1"))
        tier = ValkeyCache(lambda: connect_valkey(server.url, cluster=True, credentials=login), told.append)
        tier.put(HELLO)

        assert tier.get_window("acme", "c1") == HELLO
        assert told == []
        assert "membus-test-hot" in {client["user"] for client in node.client_list()}


def test_role_signs_a_connection_for_a_quarter_of_an_hour() -> None:
    user, token = ElastiCacheCredentials(
        "membus-test-hot", Session("AKIA", "secret", region_name="us-east-1")
    ).get_credentials()
    where, _, query = token.partition("?")
    signed = dict(parse_qsl(query))

    assert (user, where) == ("membus-test-hot", "membus-test-hot/")
    assert (signed["Action"], signed["User"], signed["ResourceType"]) == ("connect", user, "ServerlessCache")
    assert (signed["X-Amz-Expires"], signed["X-Amz-Credential"].split("/")[3]) == ("900", "elasticache")
    assert signed["X-Amz-Signature"]


def test_role_without_credentials_has_no_cache(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    login = ElastiCacheCredentials("membus-test-hot", Session(region_name="us-east-1"))
    monkeypatch.setattr(Session, "get_credentials", lambda _: None)
    tier = ValkeyCache(lambda: connect_valkey(server.url, cluster=False, credentials=login), told.append)

    assert tier.get_window("acme", "c1") is None
    assert told == ["AuthenticationError"]


def test_unreachable_cluster_has_no_cache(told: list[str]) -> None:
    tier = ValkeyCache(lambda: connect_valkey("redis://127.0.0.1:1", cluster=True), told.append)

    assert tier.get_window("acme", "c1") is None
    assert tier.is_unavailable
    assert len(told) == 1


@contextmanager
def slow_login(server: RedisServer, *, login_seconds: float, answer_seconds: float) -> Iterator[str]:
    """Stand between a client and Redis: the first answer of a connection is as slow as a login, others less."""

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", server.port)) as redis:
            wait = login_seconds
            while asked := client.recv(65_536):
                redis.sendall(asked)
                answer = redis.recv(65_536)
                time.sleep(wait)
                client.sendall(answer)
                wait = answer_seconds

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"redis://user:secret@127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.parametrize(
    ("login_seconds", "answer_seconds", "is_away"),
    [(0.4, 0.0, False), (0.0, 0.4, True), (1.5, 0.0, True)],
)
def test_login_may_take_a_second_and_an_answer_a_tenth(
    server: RedisServer, client: Redis, *, login_seconds: float, answer_seconds: float, is_away: bool
) -> None:
    client.acl_setuser("user", enabled=True, passwords="+secret", keys=["*"], categories=["+@all"])

    with slow_login(server, login_seconds=login_seconds, answer_seconds=answer_seconds) as url:
        tier = ValkeyCache(lambda: connect_valkey(url, cluster=False), lambda _: None)
        tier.put(HELLO)

    assert tier.is_unavailable is is_away
