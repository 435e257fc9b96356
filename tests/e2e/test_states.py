"""Working memory through the public door: versions, races, expiry, large documents, two tenants."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from localstack.home import Stack
from tests.e2e.client import Client, eventually, somebody

pytestmark = pytest.mark.stack
SPILLED = {"text": "é" * 60_000, "n": [0.1, -0.0, 1e300, 2**63 - 1]}


def state_of(session: str, agent: str = "guide") -> str:
    return f"/v1/agents/{agent}/sessions/{session}/state"


def put(client: Client, path: str, data: Any, **members: Any) -> Any:
    return client.http.put(path, json={"data": data, **members})


def test_state_is_written_and_read_by_its_version(acme: Client) -> None:
    path = state_of(somebody("session"))

    assert acme.get(path).status_code == 404
    assert put(acme, path, {"step": 1}, expected_version=0).json()["version"] == 1
    assert put(acme, path, {"step": 2}).json()["version"] == 2
    stale = put(acme, path, {"step": "stale"}, expected_version=1)
    assert (stale.status_code, stale.json()["current_version"]) == (409, 2)
    read = acme.get(path)
    assert (read.json()["data"], read.headers["etag"]) == ({"step": 2}, '"2"')
    assert acme.http.put(path, json={"data": {}}, headers={"If-Match": '"1"'}).status_code == 409
    assert acme.http.get(path, headers={"If-None-Match": '"2"'}).status_code == 304
    assert acme.http.delete(path, headers={"If-Match": '"1"'}).status_code == 409
    assert acme.http.delete(path).status_code == 204
    assert [acme.http.delete(path).status_code, acme.get(path).status_code] == [404, 404]
    assert put(acme, path, {}, expected_version=1).json()["current_version"] == 0
    assert acme.get(path).status_code == 404


def test_one_of_many_writers_of_a_version_wins(acme: Client) -> None:
    path = state_of(somebody("session"))
    put(acme, path, {"winner": None})

    def write(number: int) -> int:
        data = {"winner": number, "ballast": "x" * (40_000 if number % 2 else 1)}
        return int(put(acme, path, data, expected_version=1).status_code)

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(write, range(6)))

    assert sorted(answers) == [200, *[409] * 5]
    state = acme.get(path).json()
    assert (state["data"]["winner"], state["version"]) == (answers.index(200), 2)


def test_every_unconditional_write_takes_effect(acme: Client) -> None:
    path = state_of(somebody("session"))

    with ThreadPoolExecutor(3) as pool:
        versions = list(pool.map(lambda number: put(acme, path, {"n": number}).json()["version"], range(6)))

    assert sorted(versions) == list(range(1, 7))
    assert acme.get(path).json()["data"] == {"n": versions.index(6)}


def test_large_state_is_in_s3_until_it_is_replaced(
    acme: Client, stack: Stack, aws: Callable[[str], Any]
) -> None:
    session = somebody("session")
    path, bucket = state_of(session), aws("s3")
    tenant = acme.post("/v1/conversations", {"user_id": "ada"}).json()["tenant_id"]
    ours = (
        f"spill/states/{tenant}/"  # whatever else lies in the bucket comes and goes as its functions please
    )

    def keys() -> list[str]:
        listed = bucket.list_objects_v2(Bucket=stack.bucket, Prefix=ours).get("Contents", [])
        return [each["Key"] for each in listed]

    before = keys()

    def added() -> list[str]:
        return [key for key in keys() if key not in before]

    assert put(acme, path, SPILLED).status_code == 200
    assert acme.get(path).json()["data"] == SPILLED
    (first,) = added()
    assert put(acme, path, {"text": "x" * 3_500_000}).status_code == 200
    assert len(acme.get(path).json()["data"]["text"]) == 3_500_000
    (second,) = added()
    assert second != first
    assert put(acme, path, {"small": True}).json()["version"] == 3
    assert (acme.get(path).json()["data"], added()) == ({"small": True}, [])
    assert put(acme, path, {"text": "x" * 4_100_000}).status_code == 413


def test_state_expires_to_the_second(acme: Client) -> None:
    path = state_of(somebody("session"))
    ends = datetime.fromisoformat(put(acme, path, {"step": 1}, ttl_seconds=2).json()["expires_at"])

    assert acme.get(path).status_code == 200 or datetime.now(UTC) >= ends
    assert eventually(lambda: acme.get(path).status_code, lambda status: status == 404) == 404
    assert datetime.now(UTC) >= ends
    assert acme.http.delete(path).status_code == 404
    assert put(acme, path, {"step": 2}, expected_version=1).json()["current_version"] == 0
    assert put(acme, path, {"step": 2}, expected_version=0).json()["version"] == 1


def test_tenants_and_agents_with_overlapping_names_share_no_state(acme: Client, zeta: Client) -> None:
    agent = somebody("agent")
    for client, owner in ((acme, "acme"), (zeta, "zeta")):
        assert put(client, state_of("s1", agent), {"owner": owner}, expected_version=0).status_code == 200
    put(acme, state_of("s10", agent), {})
    put(acme, state_of("s1", f"{agent}1"), {})

    assert zeta.http.delete(state_of("s10", agent)).status_code == 404
    assert [client.get(state_of("s1", agent)).json()["data"]["owner"] for client in (acme, zeta)] == [
        "acme",
        "zeta",
    ]
    listed = acme.get(f"/v1/agents/{agent}/sessions").json()["items"]
    assert [lease["session_id"] for lease in listed] == ["s1", "s10"]
    assert len(zeta.get(f"/v1/agents/{agent}/sessions").json()["items"]) == 1


def test_listing_of_sessions_skips_expired_ones(acme: Client, zeta: Client) -> None:
    agent = somebody("agent")
    for number in range(4):
        put(acme, state_of(f"s{number}", agent), {}, ttl_seconds=1 if number in {1, 2} else 600)
    path = f"/v1/agents/{agent}/sessions"
    eventually(lambda: len(acme.get(path).json()["items"]), lambda count: count == 2)

    pages = [acme.get(path, limit="1").json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(acme.get(path, limit="1", cursor=cursor).json())

    assert [lease["session_id"] for page in pages for lease in page["items"]] == ["s0", "s3"]
    assert any(page["items"] == [] and page["next_cursor"] for page in pages)
    borrowed = zeta.get(path, cursor=pages[0]["next_cursor"])
    assert (borrowed.status_code, borrowed.json()["code"]) == (400, "bad_cursor")
