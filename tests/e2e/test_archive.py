"""The cold tier through the deployed stack.

The archiver's own role packs, the public door reads both tiers as one.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from boto3.dynamodb.conditions import Key

from localstack.home import Stack
from tests.e2e.client import Client, now, said, somebody
from tests.e2e.conftest import NewKey
from tests.e2e.test_episodes import append, ids, path_of

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("archive")]
ARCHIVE = "membus-local-archive"
Archive = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def tenant() -> str:
    return f"cold-{uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def mine(stack: Stack, new_key: NewKey, tenant: str) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(tenant))
    yield client
    client.close()


@pytest.fixture
def archive(aws: Callable[[str], Any]) -> Archive:
    def invoke(**asked: Any) -> dict[str, Any]:
        answer = aws("lambda").invoke(FunctionName=ARCHIVE, Payload=json.dumps(asked))
        done: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, done
        return done

    return invoke


@pytest.fixture
def forget_hot(session: Any, stack: Stack, tenant: str) -> Callable[[str, datetime], None]:
    """Do what DynamoDB does when the hot copies' time has come, and move the catalog's clock on with it."""
    table = session.resource("dynamodb", endpoint_url=stack.endpoint_url).Table(stack.tables.memory)

    def forget(agent: str, day: datetime) -> None:
        for item in table.query(
            KeyConditionExpression=Key("pk").eq(f"T#{tenant}#A#{agent}#E#{day:%Y-%m-%d}")
        )["Items"]:
            assert "expires_at" in item, "no item may go before it has a stamp"
            table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
        entries = Key("pk").eq(f"T#{tenant}#COLD") & Key("sk").begins_with(f"{agent}#")
        for entry in table.query(KeyConditionExpression=entries)["Items"]:
            body = json.loads(entry["body"]) | {"hot_until": now().isoformat()}
            table.put_item(Item=entry | {"body": json.dumps(body)})

    return forget


def test_archived_and_new_episodes_are_one_listing(
    mine: Client, tenant: str, archive: Archive, forget_hot: Callable[[str, datetime], None]
) -> None:
    user, agent = somebody(), somebody("agent")
    long_ago = now().replace(hour=12) - timedelta(days=9)  # five seconds of one day, whatever time it is
    moments = [long_ago + timedelta(seconds=second) for second in range(5)]
    large = said(user, "The sea is close. " * 3_000, occurred_at=moments[4].isoformat())
    old = append(
        mine, agent, *(said(user, f"tea {at:%S}", occurred_at=at.isoformat()) for at in moments[:4]), large
    )
    new = append(mine, agent, said(user, "and now coffee"))
    before = mine.get(path_of(agent)).json()["items"]

    done = archive()
    assert done["episodes"] >= len(old)
    assert done["problems"] == []
    assert [item["tier"] for item in mine.get(path_of(agent)).json()["items"]] == ["hot"] * 6

    forget_hot(agent, long_ago)
    after = mine.get(path_of(agent)).json()["items"]
    assert [item["tier"] for item in after] == ["cold"] * 5 + ["hot"]
    assert [item | {"tier": "hot"} for item in after] == before
    assert ids(mine, agent, limit="2") == old + new
    assert ids(mine, agent, user_id=user, limit="4") == old + new
    assert archive(task="verify", tenant=tenant)["problems"] == []


def test_archive_of_another_tenant_is_not_visible(
    mine: Client, zeta: Client, archive: Archive, forget_hot: Callable[[str, datetime], None]
) -> None:
    user, agent = somebody(), somebody("agent")
    long_ago = now() - timedelta(days=9)
    recorded = append(mine, agent, said(user, "hello", occurred_at=long_ago.isoformat()))
    archive()
    forget_hot(agent, long_ago)

    assert ids(mine, agent) == recorded
    assert ids(zeta, agent) == []


def test_invalid_archive_request_is_refused_before_it_acts(aws: Callable[[str], Any]) -> None:
    for asked in ({"task": "melt"}, {"shards": [16]}, {"task": "compact"}, {"quiet_days": -1}):
        answer = aws("lambda").invoke(FunctionName=ARCHIVE, Payload=json.dumps(asked))
        assert "FunctionError" in answer, asked
