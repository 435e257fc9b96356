"""The turnstile at the API's door.

A flood is told to wait, nobody else notices, and nothing it sends helps it.
"""

from datetime import timedelta

import pytest

from membus.core.errors import NotFoundError, UnavailableError
from membus.tenants.api_keys import ApiScope
from membus.tenants.model import RateLimits
from tests.support.api_client import ApiTestClient
from tests.support.websocket_client import WebSocketTestClient

SLOW = RateLimits(requests_per_second=0.5, events_per_second=1)
"""Five requests at once, and a hundred events."""
MINUTE = timedelta(minutes=1)


@pytest.fixture
def door() -> ApiTestClient:
    opened = ApiTestClient()
    opened.tenants.set_rates("acme", SLOW)
    return opened


def events(count: int, start: int = 0) -> dict[str, list[dict[str, object]]]:
    said: dict[str, object] = {"user_id": "ada", "type": "page.viewed", "payload": {"path": "/"}}
    return {"events": [said | {"event_id": f"e{start + number}"} for number in range(count)]}


def test_a_flood_is_told_to_wait_and_its_neighbour_is_served(door: ApiTestClient) -> None:
    statuses = [door.get("/v1/users/ada/profile").status for _ in range(8)]
    refused = door.get("/v1/users/ada/profile")

    assert statuses == [200] * 5 + [429] * 3
    assert (refused.code, refused.headers["retry-after"]) == ("rate_limited", "2")
    assert door.limits.figures["acme", "RateRefusals"] == 4
    door.tenant = "zeta"
    assert [door.get("/v1/users/ada/profile").status for _ in range(8)] == [200] * 8
    door.tenant = "acme"
    door.clock.advance(timedelta(seconds=2))
    assert door.get("/v1/users/ada/profile").status == 200


def test_no_header_and_no_malformed_request_gets_past_it(door: ApiTestClient) -> None:
    forged = {
        "x-tenant-id": "zeta",
        "x-forwarded-for": "10.0.0.1",
        "x-amzn-tenant": "zeta",
        "host": "elsewhere",
    }
    tried = [door.post("/v1/search", "{", key=None).status for _ in range(5)]

    assert tried == [400] * 5
    assert door.get("/v1/users/ada/profile", **forged).status == 429
    assert door.post("/v1/search", "{", key=None).status == 429
    assert door.get("/v1/no/such/route").status == 429


def test_events_are_counted_one_by_one_and_those_that_are_refused_were_not_taken(door: ApiTestClient) -> None:
    assert door.post("/v1/events", events(90)).status == 202
    refused = door.post("/v1/events", events(20, start=90))
    door.clock.advance(timedelta(seconds=10))
    again = door.post("/v1/events", events(20, start=90))

    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "rate_limited", "10")
    assert (again.status, len(again.json["accepted"])) == (202, 20)
    assert [each.event_id for each in door.bus.published] == [f"e{number}" for number in range(110)]


def test_episodes_are_events_whichever_door_they_take(door: ApiTestClient) -> None:
    first = door.post("/v1/agents/guide/episodes", {"episodes": events(60)["events"]}, key="k1")
    refused = door.post("/v1/events", events(60, start=60), key="k2")

    assert (first.status, refused.status, refused.code) == (201, 429, "rate_limited")


def test_what_needs_no_key_is_nobodys_rate(door: ApiTestClient) -> None:
    door.tenant = None

    assert [door.get("/v1/health").status for _ in range(20)] == [200] * 20


def test_a_message_over_a_socket_is_a_request_like_any_other(door: ApiTestClient) -> None:
    wire = WebSocketTestClient(door, scopes=(ApiScope.CHAT,)).open()

    frames = [wire.say({"action": "ping"})[0] for _ in range(7)]

    assert [frame["type"] for frame in frames] == ["pong"] * 5 + ["error"] * 2
    assert (frames[-1]["code"], frames[-1]["retry_after_seconds"]) == ("rate_limited", 2)


def test_a_changed_rate_is_heard_of_within_a_minute(door: ApiTestClient) -> None:
    for _ in range(6):
        door.get("/v1/users/ada/profile")
    door.tenants.set_rates("acme", None)
    assert door.get("/v1/users/ada/profile").status == 429

    door.clock.advance(MINUTE)

    assert [door.get("/v1/users/ada/profile").status for _ in range(20)] == [200] * 20


@pytest.mark.parametrize("outage", [UnavailableError("busy"), NotFoundError("gone"), RuntimeError("?")])
def test_where_rates_cannot_be_counted_the_door_stays_open_and_says_so(
    door: ApiTestClient, outage: Exception
) -> None:
    door.rates.outage = outage

    assert [door.get("/v1/users/ada/profile").status for _ in range(8)] == [200] * 8
    assert door.limits.figures["acme", "RatesUncounted"] == 8
    assert {fields["error"] for _, fields in door.limits.warnings} == {type(outage).__name__}
