"""Erasure through the deployed stack.

The function's own role reaches every store, and the receipt says that it did.

What was erased then comes back by every way that it has, and nothing is kept of it.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import REPOSITORY, Stack
from membus.tenants.api_keys import ApiScope
from tests.e2e.client import Client, eventually, now, said, somebody
from tests.e2e.conftest import NewKey

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("dead letters")]
PROVEN_WITHIN_SECONDS = 300


@pytest.fixture(scope="module")
def tenant() -> str:
    return f"gone-{uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def admin(stack: Stack, new_key: NewKey, tenant: str) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(tenant, scopes=tuple(ApiScope)))
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
    answer = client.post(
        f"/v1/conversations/{talk}/messages", {"content": f"Hello, {canary}.", "author": user}
    )
    assert answer.status_code in {200, 201, 202}, answer.text
    assert eventually(lambda: client.facts(user), lambda facts: facts.get("home.city") == "Oslo")
    assert eventually(lambda: found(client, user, canary), bool), "the index has heard of none of it"
    return str(talk)


def found(client: Client, user: str, words: str) -> list[str]:
    """Return the texts of a user that a search for these words finds and that hold them."""
    results = client.post("/v1/search", {"query": words, "user_id": user}).json()["results"]
    return [result["text"] for result in results if words in result["text"]]


@dataclass(frozen=True)
class Operator:
    """Who sees the stores as they are, and brings back what was."""

    stack: Stack
    file: Path
    tenant: str
    aws: Callable[[str], Any]

    def everything(self) -> Iterator[str]:
        """Yield every item of the tables and every version of every object, as text."""
        scans = self.aws("dynamodb").get_paginator("scan")
        tables = self.stack.tables
        for name in (tables.memory, tables.conversations, tables.idempotency, tables.tenants):
            for page in scans.paginate(TableName=name):
                yield from (f"{name} {item}" for item in page["Items"])
        s3 = self.aws("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.stack.bucket):
            for each in page.get("Versions", []):
                version = {"Key": each["Key"], "VersionId": each["VersionId"]}
                body = s3.get_object(Bucket=self.stack.bucket, **version)["Body"].read()
                yield f"{each['Key']} {body.decode(errors='replace')}"

    def replay_the_bus(self, start: datetime, end: datetime) -> None:
        """Let the bus's own archive tell again what it heard between two moments."""
        events, name = self.aws("events"), f"r-{uuid4().hex[:8]}"
        bus = events.describe_event_bus(Name=self.stack.bus_name)["Arn"]
        (archive,) = events.list_archives(EventSourceArn=bus)["Archives"]
        source = events.describe_archive(ArchiveName=archive["ArchiveName"])["ArchiveArn"]
        events.start_replay(
            ReplayName=name,
            EventSourceArn=source,
            EventStartTime=start,
            EventEndTime=end,
            Destination={"Arn": bus},
        )
        state = eventually(
            lambda: events.describe_replay(ReplayName=name)["State"], lambda state: state == "COMPLETED"
        )
        assert state == "COMPLETED"

    def redrive(self, *events: dict[str, Any]) -> None:
        """Put events among extract's dead letters, as EventBridge wrapped them, and send them back."""
        sqs = self.aws("sqs")
        dead_letters = sqs.get_queue_url(QueueName="membus-local-extract-dlq")["QueueUrl"]
        for event in events:
            detail = {"schema": 1, "tenant_id": self.tenant, "event_id": uuid4().hex, **event}
            letter = {
                "source": "membus.events",
                "detail-type": event["type"],
                "time": event["occurred_at"],
                "detail": detail,
            }
            sqs.send_message(QueueUrl=dead_letters, MessageBody=json.dumps(letter))
        assert self.told("dlq", "redrive", "extract-dlq", "--mode", "each")[0]["moved"] == str(len(events))

    def wait_for_extract(self) -> None:
        """Wait until nothing lies in its queue.

        What it failed on is somebody else's and comes back in minutes.
        """
        sqs, waiting = self.aws("sqs"), "ApproximateNumberOfMessages"
        url = sqs.get_queue_url(QueueName="membus-local-extract")["QueueUrl"]
        told = partial(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=[waiting])
        eventually(lambda: int(told()["Attributes"][waiting]), lambda number: number == 0)

    def told(self, *words: str) -> list[dict[str, Any]]:
        command = [sys.executable, "-m", "scripts", *words, "--tenant", self.tenant, "--yes"]
        done = subprocess.run(
            [*command, "--stack", str(self.file), "--json"],
            capture_output=True,
            text=True,
            check=False,
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stderr
        rows: list[dict[str, Any]] = json.loads(done.stdout) if done.stdout else []
        return rows


@pytest.fixture
def operator(stack: Stack, stack_file: Path, tenant: str, aws: Callable[[str], Any]) -> Operator:
    return Operator(stack, stack_file, tenant, aws)


def nothing_is_left(admin: Client, operator: Operator, user: str, canary: str) -> None:
    for thing in operator.everything():
        assert canary not in thing, thing[:300]
    for path in (f"/v1/users/{user}/profile", f"/v1/users/{user}/facts"):
        assert canary not in admin.get(path).text
    assert canary not in admin.get("/v1/agents/default/episodes", user_id=user).text
    assert found(admin, user, canary) == []


def test_erased_user_is_in_no_store_and_may_return_as_a_new_user(admin: Client, operator: Operator) -> None:
    user, other, canary, start = somebody(), somebody(), f"Zq{uuid4().hex[:10]}", now()
    talk = planted(admin, user, canary)
    planted(admin, other, "Grace")
    end = now() + timedelta(seconds=1)

    asked = admin.post(f"/v1/users/{user}:erase", None)
    assert asked.status_code == 202, asked.text
    job = asked.headers["location"]
    assert admin.get(f"/v1/users/{user}/profile").status_code == 404
    assert admin.get(f"/v1/users/{user}/facts").status_code == 404
    # Whoever has not heard of it takes this event, and drops it: what is learned within the minute counts as
    # erased.
    late = said(user, f"I live in {canary}.", occurred_at=now().isoformat(), event_id=uuid4().hex)
    admin.post("/v1/events", {"events": [late]}, key=None)
    assert admin.post(f"/v1/users/{user}:erase", None).json()["job_id"] in job

    done = eventually(
        lambda: admin.get(job).json(), lambda job: job["receipt"], seconds=PROVEN_WITHIN_SECONDS
    )

    assert set(done["receipt"]["left"].values()) == {0}, done
    # How many of each is the fault tests' to say: here a step may be done twice, or the stream come first.
    assert sum(done["removed"].values()) > 0, done
    assert admin.get(f"/v1/conversations/{talk}").status_code == 404
    nothing_is_left(admin, operator, user, canary)
    assert admin.facts(other)["home.city"] == "Oslo"
    assert admin.facts(user) == {}
    admin.send(said(user, "I live in Lima."))
    assert eventually(lambda: admin.facts(user), bool) == {"home.city": "Lima"}

    operator.replay_the_bus(start, end)
    operator.redrive(late, said(user, "I love chess.", occurred_at=now().isoformat()))
    assert eventually(lambda: admin.facts(user), lambda facts: len(facts) > 1)["likes.chess"] == "chess"
    operator.wait_for_extract()
    assert operator.told("replay", "--user", user) == []

    nothing_is_left(admin, operator, user, canary)
    assert admin.facts(user) == {"home.city": "Lima", "likes.chess": "chess"}
    assert admin.facts(other)["home.city"] == "Oslo"


def test_erasure_needs_its_scope_and_hides_jobs_of_other_tenants(
    admin: Client, acme: Client, zeta: Client
) -> None:
    job = admin.post(f"/v1/users/{somebody()}:erase", None).headers["location"]

    assert acme.post(f"/v1/users/{somebody()}:erase", None).status_code == 403
    assert zeta.get(job).status_code in {403, 404}
