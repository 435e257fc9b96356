"""A client of the membus HTTP API: it repeats calls to a busy API and explains what was refused."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2

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


class ApiObject(SimpleNamespace):
    """A JSON object of the API; a field that it does not have is None."""

    def __getattr__(self, _: str) -> None:
        return None


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

    def get(self, *path: str, **params: str) -> Any:
        """Return the resource at `/v1/<path>`, whose parts are escaped."""
        return self._call("GET", path, params=params)

    def post(self, *path: str, **body: Any) -> Any:
        return self._call("POST", path, json=body, headers={"Idempotency-Key": str(uuid4())})

    def list_all(self, *path: str) -> Iterator[Any]:
        """Yield the items of all pages."""
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = self.get(*path, limit=str(PAGE), **cursor)
            yield from page.items
            cursor = {"cursor": page.next_cursor} if page.next_cursor else None

    def _call(self, method: str, path: Sequence[str], **request: Any) -> Any:
        """Return the answer; an API that is busy or unreachable is called again after each pause."""
        url = "/".join(["/v1", *(quote(part, safe="") for part in path)])
        for pause in (*PAUSES_SECONDS, None):
            try:
                response = self._http.request(method, url, **request)
            except httpx2.TransportError as error:
                if pause is None:
                    raise DemoError(
                        f"{method} {url} cannot reach the API: {error}. See `make status`."
                    ) from error
                wait = pause
            else:
                after = response.headers.get("Retry-After", "")
                if pause is None or not (response.status_code in BUSY or after):
                    return _parse_body(response, f"{method} {url}")
                wait = min(float(after), PAUSE_MAX_SECONDS) if after.isdecimal() else pause
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")


def _parse_body(response: httpx2.Response, call: str) -> Any:
    is_json = "json" in response.headers.get("Content-Type", "")
    body = response.json() if is_json else {"detail": response.text[:200]}
    if response.is_success or "rejected" in body:  # a batch of which nothing was accepted has a receipt too
        return json.loads(response.content, object_hook=lambda fields: ApiObject(**fields))
    problem = " ".join(str(body.get(name, "")) for name in ("code", "detail", "message")).strip()
    trace = f" (request_id {body['request_id']})" if "request_id" in body else ""
    raise DemoError(f"{call} was answered {response.status_code}: {problem}{trace}")


@dataclass
class SendReport:
    """What became of the events; `repeated` counts those whose id was sent before in this run."""

    by_type: Counter[str]
    repeated: int
    accepted: int = 0
    rejected: list[tuple[str, Any]] = field(default_factory=list)


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
    receipt = api.post("events", events=batch)
    sent.accepted += len(batch) - len(receipt.rejected)
    again = []
    for reason in receipt.rejected:
        event = batch[reason.index]
        if may_repeat and reason.code == UNAVAILABLE:
            again.append(event)
        else:
            sent.rejected.append((event["event_id"], reason))
    return again
