"""A client of the membus HTTP API: it repeats calls to a busy API and explains what was refused."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2
from pydantic import BaseModel

from scripts.batches import split_batches
from scripts.demo import DemoError
from scripts.demo.sources import Event

PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
PAUSE_MAX_SECONDS = 30.0
BUSY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
PAGE = 100
BATCH_EVENTS = 100
BATCH_BYTES = 500_000
"""Well below the 1 MB that a request to the bus may take with its envelopes."""
SEND_TRIES = 3
UNAVAILABLE = "unavailable"  # the only code of a rejection that says nothing about the event itself


class ApiProvenance(BaseModel, frozen=True):
    event_id: str
    quote: str | None = None
    rule: str | None = None


class ApiFact(BaseModel, frozen=True):
    key: str
    value: str
    kind: str
    trust: str
    valid_from: datetime
    replaced: str | None = None
    provenance: ApiProvenance


class ApiProfile(BaseModel, frozen=True):
    version: int
    facts: tuple[ApiFact, ...] = ()


class ApiClient:
    """Every call may be repeated: events carry their ids, other writes an idempotency key."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        # The first call starts the emulator's workers, which takes longer than any later one.
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=60, transport=transport)
        self._sleep = sleep

    def close(self) -> None:
        self._http.close()

    def send_events(self, events: Sequence[Event]) -> Any:
        """Return the receipt: accepted events, and rejected ones by index with code and detail."""
        return self._call("POST", "events", json={"events": list(events)})

    def get_profile(self, user: str) -> ApiProfile:
        return ApiProfile.model_validate(self._call("GET", "users", user, "profile"))

    def list_facts(self, user: str) -> Iterator[ApiFact]:
        return self._list_facts("users", user, "facts")

    def list_history(self, user: str, key: str) -> list[ApiFact]:
        return list(self._list_facts("users", user, "facts", key, "history"))

    def start_conversation(self, user: str, title: str) -> str:
        answer = self._call("POST", "conversations", json={"user_id": user, "title": title})
        return str(answer["conversation_id"])

    def get_context(self, conversation: str, message: str) -> Any:
        """Return the prompt that a turn would send: its sections and their estimated tokens."""
        return self._call("GET", "conversations", conversation, "context", params={"message": message})

    def send_message(self, conversation: str, author: str, content: str) -> Any:
        """Return the reply: its message, and the tokens as the model's provider counted them."""
        message = {"content": content, "author": author}
        return self._call("POST", "conversations", conversation, "messages", json=message)

    def _list_facts(self, *path: str) -> Iterator[ApiFact]:
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = self._call("GET", *path, params={"limit": str(PAGE)} | cursor)
            yield from map(ApiFact.model_validate, page["items"])
            following = page.get("next_cursor")
            cursor = {"cursor": following} if following else None

    def _call(self, method: str, *path: str, **request: Any) -> Any:
        """Return the JSON answer; an API that is busy or away is asked again after each pause."""
        url = "/".join(["/v1", *(quote(part, safe="") for part in path)])
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        for pause in (*PAUSES_SECONDS, None):
            try:
                response = self._http.request(method, url, headers=headers, **request)
            except httpx2.TransportError as error:
                if pause is None:
                    raise DemoError(
                        f"{method} {url} cannot reach the API: {error}. See `make status`."
                    ) from error
                wait = pause
            else:
                busy = response.status_code in BUSY or "Retry-After" in response.headers
                if pause is None or not busy:
                    return _parse_body(response, f"{method} {url}")
                wait = _retry_after(response) or pause
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")


def _retry_after(response: httpx2.Response) -> float:
    after = response.headers.get("Retry-After", "")
    return min(float(after), PAUSE_MAX_SECONDS) if after.isdecimal() else 0.0


def _parse_body(response: httpx2.Response, call: str) -> Any:
    is_json = "json" in response.headers.get("Content-Type", "")
    body = response.json() if is_json else {"detail": response.text[:200]}
    if response.is_success or "rejected" in body:  # a batch of which nothing was accepted has a receipt too
        return body
    problem = " ".join(str(body.get(name, "")) for name in ("code", "detail", "message")).strip()
    trace = f" (request_id {body['request_id']})" if "request_id" in body else ""
    raise DemoError(f"{call} was answered {response.status_code}: {problem}{trace}")


@dataclass
class SendReport:
    """What became of the events; `repeated` counts those whose id was sent before in this run."""

    by_type: Counter[str]
    repeated: int
    accepted: int = 0
    rejected: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def send_events(api: ApiClient, events: Sequence[Event], *, advance: Callable[[int], object]) -> SendReport:
    """Send all events in order; `advance` gets the size of each batch once it is answered."""
    ids = {event["event_id"] for event in events}
    sent = SendReport(Counter(event["type"] for event in events), repeated=len(events) - len(ids))
    for batch in split_batches(events, count=BATCH_EVENTS, size_bytes=BATCH_BYTES):
        left = batch
        for tries_left in reversed(range(SEND_TRIES)):
            left = _send_batch(api, left, sent, may_repeat=tries_left > 0) if left else []
        advance(len(batch))
    return sent


def _send_batch(api: ApiClient, batch: list[Event], sent: SendReport, *, may_repeat: bool) -> list[Event]:
    """Send a batch; return its events that the bus could not take just then."""
    receipt = api.send_events(batch)
    sent.accepted += len(receipt.get("accepted", ()))
    rejected = [(batch[each["index"]], each) for each in receipt.get("rejected", ())]
    again = [event for event, reason in rejected if may_repeat and reason["code"] == UNAVAILABLE]
    sent.rejected += [(event["event_id"], reason) for event, reason in rejected if event not in again]
    return again
