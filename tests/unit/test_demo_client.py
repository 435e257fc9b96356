"""scripts/demo/api: the client when the API is busy, unreachable or refuses a request."""

from collections.abc import Callable, Iterator

import httpx2
import pytest

from scripts.demo import DemoError
from scripts.demo.api import ApiClient
from tests.unit.demo_api import CannedApi, a_fact

PROFILE = {"version": 1, "facts": []}


def make_client(
    answers: Iterator[httpx2.Response | Exception],
) -> tuple[ApiClient, list[float], list[httpx2.Request]]:
    pauses: list[float] = []
    requests: list[httpx2.Request] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return (
        ApiClient("http://membus.test", "mb_key", transport=httpx2.MockTransport(serve), sleep=pauses.append),
        pauses,
        requests,
    )


def test_api_key_is_sent_as_a_bearer_token() -> None:
    api, _, requests = make_client(iter([httpx2.Response(200, json=PROFILE)]))

    api.get("users", "mia", "profile")

    assert requests[0].headers["Authorization"] == "Bearer mb_key"


def test_busy_api_is_asked_again_after_the_time_it_names() -> None:
    busy = httpx2.Response(429, headers={"Retry-After": "7"})
    api, pauses, _ = make_client(iter([busy, httpx2.Response(503), httpx2.Response(200, json=PROFILE)]))

    assert api.get("users", "mia", "profile").version == 1
    assert pauses == [7.0, 1.0]


def test_lost_connection_is_retried_with_the_same_idempotency_key() -> None:
    created = httpx2.Response(201, json={"conversation_id": "c-1"})
    api, _, requests = make_client(iter([httpx2.ConnectError("reset"), created]))

    assert api.post("conversations", user_id="mia").conversation_id == "c-1"
    assert requests[0].headers["Idempotency-Key"] == requests[1].headers["Idempotency-Key"]


def test_api_that_stays_unreachable_is_reported_after_five_pauses() -> None:
    api, pauses, _ = make_client(iter([httpx2.ConnectError("refused") for _ in range(6)]))

    with pytest.raises(DemoError, match=r"cannot reach the API: refused\. See `make status`"):
        api.get("users", "mia", "profile")
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (
            lambda: httpx2.Response(
                403, json={"code": "scope_missing", "detail": "needs chat", "request_id": "r1"}
            ),
            r"answered 403: scope_missing needs chat \(request_id r1\)",
        ),
        (lambda: httpx2.Response(401, json={"message": "Unauthorized"}), "answered 401: Unauthorized"),
        (lambda: httpx2.Response(500, text="Internal"), "answered 500: Internal"),
    ],
)
def test_refused_request_is_reported_in_the_words_of_the_api_and_not_retried(
    problem: Callable[[], httpx2.Response], told: str
) -> None:
    api, pauses, _ = make_client(iter([problem()]))

    with pytest.raises(DemoError, match=told):
        api.get("users", "mia", "profile")
    assert pauses == []


def test_all_pages_of_a_listing_are_read() -> None:
    known = [a_fact(key=f"likes.{number}") for number in range(5)]

    listed = CannedApi(facts={"mia": known}).client().list_all("users", "mia", "facts")

    assert [fact.key for fact in listed] == [f"likes.{number}" for number in range(5)]


def test_ids_are_escaped_in_the_path() -> None:
    api, _, requests = make_client(iter([httpx2.Response(200, json=PROFILE)]))

    api.get("users", "mia/../ada?x", "profile")

    assert requests[0].url.raw_path == b"/v1/users/mia%2F..%2Fada%3Fx/profile"
