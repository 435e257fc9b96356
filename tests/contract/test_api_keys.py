"""The port ApiKeys, on the fake and on DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectTimeoutError

from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.tenants.api_keys import ApiKey, ApiKeyStore, ApiScope, Credential
from membus.tenants.dynamodb_api_keys import DynamoApiKeys
from tests.contract.tenants_table import tenants_table
from tests.fakes.api_keys import InMemoryApiKeys

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(params=["fake", "dynamodb"])
def keys(request: pytest.FixtureRequest) -> Iterator[ApiKeyStore]:
    if request.param == "fake":
        yield InMemoryApiKeys()
    else:
        with tenants_table() as table:
            yield DynamoApiKeys(table)


def a_key(
    *, tenant_id: str = "acme", created_at: datetime = NOW, expires_at: datetime | None = None
) -> ApiKey:
    credential = Credential.generate("dev")
    return ApiKey(
        key_id=credential.key_id,
        tenant_id=tenant_id,
        name="web",
        scopes=(ApiScope.EVENTS_WRITE, ApiScope.CHAT),
        secret_hash=credential.secret_hash,
        created_at=created_at,
        expires_at=expires_at,
    )


@pytest.mark.parametrize("expires_at", [None, NOW + timedelta(days=90)])
def test_a_key_is_found_as_it_was_added(keys: ApiKeyStore, expires_at: datetime | None) -> None:
    keys.add_key(key := a_key(expires_at=expires_at))

    assert keys.find_key(key.key_id) == key


def test_unknown_key_is_not_found(keys: ApiKeyStore) -> None:
    assert keys.find_key(uuid4().hex) is None


def test_a_taken_key_id_is_refused_and_keeps_its_owner(keys: ApiKeyStore) -> None:
    keys.add_key(key := a_key())

    with pytest.raises(ConflictError):
        keys.add_key(replace(key, tenant_id="zeta"))

    assert keys.find_key(key.key_id) == key
    assert keys.list_keys("zeta") == []


def test_a_tenant_lists_its_own_keys_oldest_first(keys: ApiKeyStore) -> None:
    newer, older = a_key(created_at=NOW), a_key(created_at=NOW - timedelta(days=1))
    for key in (newer, older, a_key(tenant_id="zeta"), a_key(tenant_id="acme-2")):
        keys.add_key(key)

    assert keys.list_keys("acme") == [older, newer]


def test_a_revoked_key_is_found_revoked(keys: ApiKeyStore) -> None:
    keys.add_key(key := a_key())

    revoked = keys.revoke_key(key.key_id, at=NOW)

    assert revoked == replace(key, revoked_at=NOW)
    assert keys.find_key(key.key_id) == revoked
    assert keys.list_keys("acme") == [revoked]


def test_revoking_twice_keeps_the_first_moment(keys: ApiKeyStore) -> None:
    keys.add_key(key := a_key())
    keys.revoke_key(key.key_id, at=NOW)

    assert keys.revoke_key(key.key_id, at=NOW + timedelta(hours=1)).revoked_at == NOW


def test_revoking_an_unknown_key_creates_none(keys: ApiKeyStore) -> None:
    with pytest.raises(NotFoundError):
        keys.revoke_key("nobody", at=NOW)

    assert keys.find_key("nobody") is None


def test_unreachable_table_is_unavailable() -> None:
    with tenants_table() as table:
        keys = DynamoApiKeys(table)
        table.meta.client.meta.events.register("before-call.dynamodb", _cut_the_line)
        for ask in (
            lambda: keys.find_key("k"),
            lambda: keys.list_keys("acme"),
            lambda: keys.add_key(a_key()),
            lambda: keys.revoke_key("k", at=NOW),
        ):
            with pytest.raises(UnavailableError):
                ask()


def _cut_the_line(**_: object) -> NoReturn:
    raise ConnectTimeoutError(endpoint_url="https://dynamodb")
