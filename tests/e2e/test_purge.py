"""Purge of single events through the deployed stack: their words leave every store, the rest stays."""

from collections.abc import Callable, Iterator
from secrets import choice
from string import ascii_lowercase
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import Stack
from membus.tenants.api_keys import ApiScope
from tests.e2e.client import Client, eventually, said, somebody
from tests.e2e.conftest import NewKey

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("dead letters")]
PROVEN_WITHIN_SECONDS = 300


@pytest.fixture
def admin(stack: Stack, new_key: NewKey) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(f"purged-{uuid4().hex[:8]}", scopes=tuple(ApiScope)))
    yield client
    client.close()


def stored_texts(stack: Stack, aws: Callable[[str], Any]) -> Iterator[str]:
    """Yield every item of the tables and every version of every object, as text."""
    scans, tables = aws("dynamodb").get_paginator("scan"), stack.tables
    for name in (tables.memory, tables.conversations, tables.idempotency, tables.tenants):
        for page in scans.paginate(TableName=name):
            yield from (f"{name} {item}" for item in page["Items"])
    s3 = aws("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=stack.bucket):
        for each in page.get("Versions", []):
            version = {"Key": each["Key"], "VersionId": each["VersionId"]}
            body = s3.get_object(Bucket=stack.bucket, **version)["Body"].read()
            yield f"{each['Key']} {body.decode(errors='replace')}"


def found(client: Client, user: str, words: str) -> list[str]:
    results = client.post("/v1/search", {"query": words, "user_id": user}).json()["results"]
    return [result["text"] for result in results if words in result["text"]]


def begin_purge(client: Client, path: str) -> str:
    """Begin a purge and return where its job is."""
    begun = client.http.delete(path, params={"purge": "true"})
    assert begun.status_code == 202, begun.text
    return str(begun.headers["location"])


def finished(client: Client, job: str) -> dict[str, Any]:
    return dict(
        eventually(
            lambda: client.get(job).json(),
            lambda found: found["status"] in {"done", "failed"},
            seconds=PROVEN_WITHIN_SECONDS,
        )
    )


def test_words_of_purged_events_leave_every_store_and_the_rest_stays(
    admin: Client, stack: Stack, aws: Callable[[str], Any]
) -> None:
    user, canary = somebody(), "Q" + "".join(choice(ascii_lowercase) for _ in range(10))
    named, home = said(user, f"My name is {canary}."), said(user, "I live in Oslo.")
    large = said(user, f"{canary} " + "The sea is close. " * 3_000)
    ids = [admin.send(event)[0] for event in (named, home, large)]
    talk = admin.post("/v1/conversations", {"user_id": user}).json()["conversation_id"]
    for words in (f"Do you remember {canary}?", "How is the weather?"):
        path = f"/v1/conversations/{talk}/messages"
        assert admin.post(path, {"content": words, "author": user}).status_code == 200
    first = admin.get(f"/v1/conversations/{talk}/messages").json()["items"][0]["message_id"]
    facts = eventually(lambda: admin.facts(user), lambda facts: len(facts) == 2)
    assert facts == {"name": canary, "home.city": "Oslo"}
    assert eventually(lambda: found(admin, user, canary), bool)
    events = f"/v1/users/{user}/events"
    preview = admin.http.delete(f"{events}/{ids[0]}", params={"purge": "true", "dry_run": "true"}).json()
    assert preview["facts"] == [{"key": "name", "before": canary, "after": None}]

    begun = [begin_purge(admin, f"{events}/{event}") for event in (ids[0], ids[2], f"turn-{first}")]
    jobs = [finished(admin, job) for job in begun]

    assert [job["status"] for job in jobs] == ["done"] * 3
    assert all(not any(job["receipt"]["left"].values()) for job in jobs)
    assert {"episodes", "observations", "messages", "index_rows", "cold_rows", "exports"} <= {
        name for job in jobs for name in job["receipt"]["left"]
    }
    assert [each for each in stored_texts(stack, aws) if canary in each] == []
    assert eventually(lambda: found(admin, user, canary), lambda texts: texts == []) == []
    assert admin.facts(user) == {"home.city": "Oslo"}
    left = admin.get(f"/v1/conversations/{talk}/messages").json()["items"]
    assert [each["content"] for each in left if each["role"] == "user"] == ["How is the weather?"]

    admin.send(named | {"event_id": ids[0]})
    admin.send(said(user, "I like tea."))
    assert eventually(lambda: admin.facts(user), lambda facts: "likes.tea" in facts)
    assert "name" not in admin.facts(user)
