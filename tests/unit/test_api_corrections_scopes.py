"""Who may correct a fact: a key with the scope, of the tenant of the user."""

import pytest

from tests.factories import ADA, an_observation, learn
from tests.support.api_client import ApiTestClient

CITY = "/v1/users/ada/facts/home.city"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_correction_needs_the_write_scope(door: ApiTestClient, method: str) -> None:
    learn(door.facts, ADA, an_observation("Lisbon"))
    door.scopes = ("events:write", "memory:read", "chat")

    answer = door.call(method, CITY, headers={}, body='{"value": "Rome"}' if method == "PUT" else None)

    assert (answer.status, answer.code) == (403, "scope_missing")
    assert door.get(CITY).json["value"] == "Lisbon"


def test_another_tenant_corrects_only_its_own_ada(door: ApiTestClient) -> None:
    learn(door.facts, ADA, an_observation("Lisbon"))
    door.tenant = "zeta"
    assert door.delete(CITY).status == 404
    door.put(CITY, {"value": "Rome"})

    door.tenant = "acme"

    assert door.get(CITY).json["value"] == "Lisbon"
