"""Erasure through the deployed stack: the function's own role reaches every store, and the receipt says that it did."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from localstack.stack_file import Stack
from membus.domain.api_key import Scope
from tests.e2e.client import Client, eventually, now, said, somebody
from tests.e2e.conftest import NewKey

pytestmark = pytest.mark.stack
PROVEN_WITHIN_SECONDS = 300


@pytest.fixture(scope="module")
def admin(stack: Stack, new_key: NewKey) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(f"gone-{uuid4().hex[:8]}", scopes=tuple(Scope)))
    yield client
    client.close()


def planted(client: Client, user: str, canary: str) -> str:
    """Leave a user's words in events, facts, documents and a conversation; returns the conversation."""
    agent, session = somebody("agent"), somebody("session")
    large = said(user, f"{canary} " + "The sea is close. " * 3_000, session_id=session)
    assert client.post(f"/v1/agents/{agent}/episodes", {"episodes": [large]}).status_code == 201
    client.send(said(user, f"My name is {canary}."), said(user, "I live in Oslo."))
    state = {"data": {"note": canary + "x" * 40_000}}
    assert client.http.put(f"/v1/agents/{agent}/sessions/{session}/state", json=state).status_code == 200
    texts = (f"{canary} is allergic to nuts.", f"{canary} wrote: " + "The hill is steep. " * 2_000)
    items = [{"text": text, "user_id": user} for text in texts]
    assert client.post("/v1/memories", {"items": items}).status_code == 201
    talk = client.post("/v1/conversations", {"user_id": user, "title": canary}).json()["conversation_id"]
    answer = client.post(f"/v1/conversations/{talk}/messages", {"content": f"Hello, {canary}.", "author": user})
    assert answer.status_code in {200, 201, 202}, answer.text
    assert eventually(lambda: client.facts(user), lambda facts: facts.get("home.city") == "Oslo")
    assert eventually(lambda: found(client, user, canary), bool), "the index has heard of none of it"
    return str(talk)


def found(client: Client, user: str, words: str) -> list[str]:
    """Return the texts of a user that a search for these words finds and that hold them."""
    results = client.post("/v1/search", {"query": words, "user_id": user}).json()["results"]
    return [result["text"] for result in results if words in result["text"]]


def test_a_user_is_gone_from_everywhere_and_may_come_back_as_somebody_new(
    admin: Client, stack: Stack, aws: Callable[[str], Any], session: Any
) -> None:
    user, other, canary = somebody(), somebody(), f"Zq{uuid4().hex[:10]}"
    talk = planted(admin, user, canary)
    planted(admin, other, "Grace")

    asked = admin.post(f"/v1/users/{user}:erase", None)
    assert asked.status_code == 202, asked.text
    job = asked.headers["location"]
    assert admin.get(f"/v1/users/{user}/profile").status_code == 404
    assert admin.get(f"/v1/users/{user}/facts").status_code == 404
    # Whoever has not heard of it takes this event, and drops it: what is learned within the minute counts as erased.
    admin.post("/v1/events", {"events": [said(user, f"I live in {canary}.", occurred_at=now().isoformat())]}, key=None)
    assert admin.post(f"/v1/users/{user}:erase", None).json()["job_id"] in job

    done = eventually(lambda: admin.get(job).json(), lambda job: job["receipt"], seconds=PROVEN_WITHIN_SECONDS)

    assert set(done["receipt"]["left"].values()) == {0}, done
    # How many of each is the fault tests' to say: here a step may be done twice, or the stream come first.
    assert sum(done["removed"].values()) > 0, done
    assert admin.get(f"/v1/conversations/{talk}").status_code == 404
    tables = session.resource("dynamodb", endpoint_url=stack.endpoint_url)
    for name in (stack.tables.memory, stack.tables.conversations, stack.tables.idempotency, stack.tables.tenants):
        assert all(canary not in str(item) for item in tables.Table(name).scan()["Items"]), name
    s3 = aws("s3")
    for version in s3.list_object_versions(Bucket=stack.bucket).get("Versions", []):
        body = s3.get_object(Bucket=stack.bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        assert canary.encode() not in body, version["Key"]
    assert found(admin, user, canary) == []
    assert admin.facts(other)["home.city"] == "Oslo"
    assert admin.facts(user) == {}
    admin.send(said(user, "I live in Lima."))
    assert eventually(lambda: admin.facts(user), bool) == {"home.city": "Lima"}


def test_without_the_scope_nobody_is_erased_and_another_tenants_job_is_absent(
    admin: Client, acme: Client, zeta: Client
) -> None:
    job = admin.post(f"/v1/users/{somebody()}:erase", None).headers["location"]

    assert acme.post(f"/v1/users/{somebody()}:erase", None).status_code == 403
    assert zeta.get(job).status_code in {403, 404}
