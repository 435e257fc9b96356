"""Credentials at the gateway: without a good one nothing answers, and the tenant comes from it alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import Stack
from membus.tenants.api_keys import ApiScope
from tests.e2e.client import Client, eventually, said, somebody

pytestmark = pytest.mark.stack


def status(stack: Stack, key: str | None, path: str = "/v1/users/ada/profile") -> int:
    client = Client(stack.api_url, key)
    try:
        return client.get(path).status_code
    finally:
        client.close()


def test_request_without_a_valid_key_is_refused(stack: Stack, new_key: Callable[..., str]) -> None:
    good = new_key(f"keys-{uuid4().hex[:8]}")
    brand, env, key_id, secret = good.split("_", 3)
    flipped = secret[:-1] + ("A" if secret[-1] != "A" else "B")

    assert status(stack, good) == 200
    assert [
        status(stack, None),
        status(stack, "nonsense"),
        status(stack, f"{brand}_{env}_{key_id}_{flipped}"),
        status(stack, good.replace("_local_", "_prod_")),
        status(stack, new_key("keys-expired", expires_in=timedelta(seconds=-1))),
    ] == [401] * 5


def test_a_revoked_key_is_refused(
    stack: Stack, new_key: Callable[..., str], aws: Callable[[str], Any]
) -> None:
    key = new_key(f"keys-{uuid4().hex[:8]}")
    assert status(stack, key) == 200

    key_id = key.split("_")[2]
    aws("dynamodb").update_item(
        TableName=stack.tables.tenants,
        Key={"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}},
        UpdateExpression="SET revoked_at = :now",
        ExpressionAttributeValues={":now": {"S": "2026-01-01T00:00:00+00:00"}},
    )

    assert eventually(lambda: status(stack, key), lambda code: code == 401) == 401


def test_a_key_without_the_scope_is_refused(stack: Stack, new_key: Callable[..., str]) -> None:
    reader = Client(stack.api_url, new_key(f"keys-{uuid4().hex[:8]}", scopes=(ApiScope.MEMORY_READ,)))

    assert reader.get("/v1/users/ada/profile").status_code == 200
    assert reader.post("/v1/events", {"events": [said("ada", "hello")]}).status_code == 403
    assert reader.post("/v1/conversations", {"user_id": "ada"}).status_code == 403
    reader.close()


def test_health_and_openapi_need_no_key(stack: Stack) -> None:
    assert status(stack, None, "/v1/health") == 200
    assert status(stack, None, "/v1/openapi.json") == 200


def test_two_tenants_with_the_same_user_share_nothing(acme: Client, zeta: Client) -> None:
    user = somebody()
    acme.send(said(user, "I live in Lisbon."))
    zeta.send(said(user, "I live in Oslo."))

    assert eventually(lambda: acme.facts(user), bool) == {"home.city": "Lisbon"}
    assert eventually(lambda: zeta.facts(user), bool) == {"home.city": "Oslo"}


def test_a_tenant_named_by_the_client_is_ignored_or_refused(acme: Client, zeta: Client, stack: Stack) -> None:
    user = somebody()
    headers = {"X-Tenant-Id": stack.tenant_id, "tenant_id": stack.tenant_id}
    assert acme.http.post(
        "/v1/events", json={"events": [said(user, "I live in Rome.")]}, headers=headers
    ).is_success
    forged = acme.post("/v1/events", {"events": [said(user, "I live in Rome.", tenant_id=stack.tenant_id)]})
    assert forged.status_code == 422

    assert eventually(lambda: acme.facts(user), bool) == {"home.city": "Rome"}
    assert zeta.facts(user) == {}


def test_conversation_of_another_tenant_is_not_found(acme: Client, zeta: Client) -> None:
    mine = acme.post("/v1/conversations", {"user_id": "ada"}).json()["conversation_id"]

    for path in (
        f"/v1/conversations/{mine}",
        f"/v1/conversations/{mine}/messages",
        f"/v1/conversations/{mine}/context",
    ):
        assert acme.get(path).status_code == 200
        assert zeta.get(path).status_code == 404
    stolen = zeta.post(f"/v1/conversations/{mine}/messages", {"content": "hello", "author": "ada"})
    assert stolen.status_code == 404
