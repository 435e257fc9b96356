"""A thin client of membus' HTTP API; it repeats what is safe to repeat and explains what was refused."""

import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx2

from scripts.demo.answers import (
    ApiContext,
    ApiConversation,
    ApiFact,
    ApiFactPage,
    ApiModel,
    ApiProfile,
    ApiReceipt,
    ApiReply,
)
from scripts.demo.failure import DemoError
from scripts.demo.source import Event

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
LONGEST_PAUSE = 30.0
BUSY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
PAGE = 100
Shape = TypeVar("Shape", bound=ApiModel)


class ApiClient:
    """Every call may be sent twice: events carry their ids, other writes an idempotency key."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        # a first call starts the emulator's workers, which takes longer than any later one
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=60, transport=transport)
        self._sleep = sleep

    def close(self) -> None:
        self._http.close()

    def send(self, events: Sequence[Event]) -> ApiReceipt:
        return self._call(ApiReceipt, "POST", "/v1/events", json={"events": list(events)})

    def profile(self, user: str) -> ApiProfile:
        return self._call(ApiProfile, "GET", f"/v1/users/{_segment(user)}/profile")

    def facts(self, user: str) -> Iterator[ApiFact]:
        return self._paged(f"/v1/users/{_segment(user)}/facts")

    def history(self, user: str, key: str) -> tuple[ApiFact, ...]:
        return tuple(self._paged(f"/v1/users/{_segment(user)}/facts/{_segment(key)}/history"))

    def start_conversation(self, user: str, title: str) -> str:
        body = {"user_id": user, "title": title}
        return self._call(ApiConversation, "POST", "/v1/conversations", json=body).conversation_id

    def context(self, conversation: str, message: str) -> ApiContext:
        path = f"/v1/conversations/{_segment(conversation)}/context"
        return self._call(ApiContext, "GET", path, params={"message": message})

    def say(self, conversation: str, author: str, content: str) -> ApiReply:
        path = f"/v1/conversations/{_segment(conversation)}/messages"
        return self._call(ApiReply, "POST", path, json={"content": content, "author": author})

    def _paged(self, path: str) -> Iterator[ApiFact]:
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
            page = self._call(ApiFactPage, "GET", path, params=query)
            yield from page.items
            cursor = page.next_cursor

    def _call(self, shape: type[Shape], method: str, path: str, **request: Any) -> Shape:
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        return shape.model_validate(self._answer(PAUSES, method, path, headers=headers, **request))

    def _answer(self, pauses: Sequence[float], method: str, path: str, **request: Any) -> Any:
        try:
            response = self._http.request(method, path, **request)
        except httpx2.TransportError as error:
            if not pauses:
                raise DemoError(
                    f"{method} {path} cannot reach the API: {error}. See `make status`."
                ) from error
            wait = pauses[0]
        else:
            if not pauses or not (response.status_code in BUSY or "Retry-After" in response.headers):
                return _parse_body(response, f"{method} {path}")
            wait = _retry_after(response) or pauses[0]
        self._sleep(wait)
        return self._answer(pauses[1:], method, path, **request)


def _segment(text: str) -> str:
    return quote(text, safe="")


def _retry_after(response: httpx2.Response) -> float:
    after = response.headers.get("Retry-After", "")
    return min(float(after), LONGEST_PAUSE) if after.isdecimal() else 0.0


def _parse_body(response: httpx2.Response, call: str) -> Any:
    if response.is_success:
        return response.json()
    kind = response.headers.get("Content-Type", "")
    problem = response.json() if "json" in kind else {"detail": response.text[:200]}
    if "rejected" in problem:
        return problem  # a batch of which nothing was taken: its receipt says why, event by event
    told = " ".join(str(problem.get(field, "")) for field in ("code", "detail", "message")).strip()
    request_id = problem.get("request_id")
    trace = f" (request_id {request_id})" if request_id else ""
    raise DemoError(f"{call} was answered {response.status_code}: {told}{trace}")
