"""scripts/demo: how its client speaks with the API when the API is busy, away or says no."""

from collections.abc import Callable, Iterator

import httpx2
import pytest

from scripts.demo import DemoError
from scripts.demo.api import ApiClient
from tests.unit.demo_api import CannedApi, a_fact

PROFILE = {"version": 1, "facts": []}


def an_api(
    answers: Iterator[httpx2.Response | Exception],
) -> tuple[ApiClient, list[float], list[httpx2.Request]]:
    naps: list[float] = []
    requests: list[httpx2.Request] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return (
        ApiClient("http://membus.test", "mb_key", transport=httpx2.MockTransport(serve), sleep=naps.append),
        naps,
        requests,
    )


def test_the_key_travels_as_a_bearer_token() -> None:
    api, _, requests = an_api(iter([httpx2.Response(200, json=PROFILE)]))

    api.get_profile("mia")

    assert requests[0].headers["Authorization"] == "Bearer mb_key"


def test_a_busy_api_is_given_the_time_it_asks_for() -> None:
    busy = httpx2.Response(429, headers={"Retry-After": "7"})
    api, naps, _ = an_api(iter([busy, httpx2.Response(503), httpx2.Response(200, json=PROFILE)]))

    assert api.get_profile("mia").version == 1
    assert naps == [7.0, 1.0]


def test_a_lost_connection_is_tried_again_with_the_same_idempotency_key() -> None:
    created = httpx2.Response(201, json={"conversation_id": "c-1"})
    api, _, requests = an_api(iter([httpx2.ConnectError("reset"), created]))

    assert api.start_conversation("mia", "title") == "c-1"
    assert requests[0].headers["Idempotency-Key"] == requests[1].headers["Idempotency-Key"]


def test_an_api_that_stays_away_is_named_after_five_pauses() -> None:
    api, naps, _ = an_api(iter([httpx2.ConnectError("refused") for _ in range(6)]))

    with pytest.raises(DemoError, match=r"cannot reach the API: refused\. See `make status`"):
        api.get_profile("mia")
    assert naps == [0.5, 1.0, 2.0, 4.0, 8.0]


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
def test_a_refusal_is_told_in_the_words_of_the_api_and_not_repeated(
    problem: Callable[[], httpx2.Response], told: str
) -> None:
    api, naps, _ = an_api(iter([problem()]))

    with pytest.raises(DemoError, match=told):
        api.get_profile("mia")
    assert naps == []


def test_facts_are_read_page_by_page_to_the_last() -> None:
    known = [a_fact(key=f"likes.{number}") for number in range(5)]

    assert [fact.key for fact in CannedApi(facts={"mia": known}).client().list_facts("mia")] == [
        f"likes.{number}" for number in range(5)
    ]


def test_a_history_is_read_page_by_page_to_the_last() -> None:
    told = [a_fact(value=f"Town {number}") for number in range(5)]

    history = CannedApi(histories={"home.city": told}).client().list_history("mia", "home.city")

    assert [version.value for version in history] == [f"Town {number}" for number in range(5)]


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    api, _, requests = an_api(iter([httpx2.Response(200, json=PROFILE)]))

    api.get_profile("mia/../ada?x")

    assert requests[0].url.raw_path == b"/v1/users/mia%2F..%2Fada%3Fx/profile"
