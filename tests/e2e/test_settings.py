"""Settings of a tenant through the deployed stack: who may set them, and what extraction and chat make of them."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from localstack.home import Stack
from membus.tenants.api_keys import ApiScope
from tests.e2e.client import Client, eventually, said, somebody
from tests.e2e.conftest import NewKey

pytestmark = pytest.mark.stack


@pytest.fixture
def admin(stack: Stack, new_key: NewKey) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(f"set-{uuid4().hex[:8]}", scopes=tuple(ApiScope)))
    yield client
    client.close()


def test_what_a_tenant_sets_decides_what_is_kept(admin: Client) -> None:
    user = somebody()
    own = {"extraction": {"never": ["home"], "instructions": "Keep drinks."}}
    changed = admin.http.put("/v1/settings", json=own | {"expected_version": 0})
    assert (changed.status_code, changed.json()["version"]) == (200, 1), changed.text

    refused = admin.send(said(user, "I live in Oslo."))[0]
    admin.send(said(user, "I like tea."))

    assert eventually(lambda: admin.facts(user), lambda facts: "likes.tea" in facts) == {"likes.tea": "tea"}
    outcome = admin.get(f"/v1/users/{user}/events/{refused}").json()
    assert [each["reason"] for each in outcome["refused"]] == ["unwanted"]
    assert "+" in outcome["extractor"]


def test_chat_reads_the_settings_of_its_tenant(admin: Client) -> None:
    user = somebody()
    assert admin.http.put("/v1/settings", json={"memory_scope": "user"}).status_code == 200
    talk = admin.post("/v1/conversations", {"user_id": user}).json()["conversation_id"]

    answer = admin.post(f"/v1/conversations/{talk}/messages", {"content": "Recall yesterday", "author": user})

    assert answer.status_code == 200, answer.text


def test_settings_are_no_everyday_matter(acme: Client) -> None:
    assert acme.http.put("/v1/settings", json={"memory_scope": "user"}).status_code == 403
    assert acme.get("/v1/settings").status_code == 403


def test_event_that_nothing_reads_is_noted(acme: Client) -> None:
    event = {"user_id": somebody(), "type": "lamp.switched", "payload": {"to": "on"}}

    answer = acme.post("/v1/events", {"events": [event]}, key=None).json()

    assert answer["accepted"][0]["note"] == "unknown_type"
