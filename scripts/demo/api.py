"""A thin client of membus' HTTP API; it repeats what is safe to repeat and explains what was refused.

What the API answers, as far as the demo reads it; fields it does not know are let pass.

Sends events through the public API in batches and counts what became of them.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx2
from pydantic import BaseModel, ConfigDict

from scripts.demo import DemoError
from scripts.demo.sources import Event


class ApiModel(BaseModel):
    model_config = ConfigDict(frozen=True)


class ApiAcceptedEvent(ApiModel):
    index: int
    event_id: str


class ApiRejectedEvent(ApiModel):
    index: int
    code: str
    detail: str


class ApiReceipt(ApiModel):
    accepted: tuple[ApiAcceptedEvent, ...] = ()
    rejected: tuple[ApiRejectedEvent, ...] = ()


class ApiProvenance(ApiModel):
    event_id: str
    event_type: str
    quote: str | None = None
    rule: str | None = None
    model: str | None = None


class ApiFact(ApiModel):
    key: str
    value: str
    kind: str
    trust: str
    valid_from: datetime
    replaced: str | None = None
    provenance: ApiProvenance


class ApiProfile(ApiModel):
    version: int
    facts: tuple[ApiFact, ...] = ()


class ApiFactPage(ApiModel):
    items: tuple[ApiFact, ...] = ()
    next_cursor: str | None = None


class ApiConversation(ApiModel):
    conversation_id: str


class ApiSection(ApiModel):
    name: str
    tokens: int


class ApiContext(ApiModel):
    """Exactly what a turn would send, by section; tokens are estimates."""

    sections: tuple[ApiSection, ...]
    budget: int
    total_tokens: int
    facts: tuple[str, ...] = ()


class ApiMessage(ApiModel):
    content: str


class ApiUsage(ApiModel):
    """Tokens as the model's provider counted them; `input` leaves out what its cache held or took in."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0

    @property
    def sent(self) -> int:
        return self.input + self.cache_read + self.cache_write


class ApiReply(ApiModel):
    message: ApiMessage
    usage: ApiUsage


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

    def send_events(self, events: Sequence[Event]) -> ApiReceipt:
        return self._call(ApiReceipt, "POST", "/v1/events", json={"events": list(events)})

    def get_profile(self, user: str) -> ApiProfile:
        return self._call(ApiProfile, "GET", f"/v1/users/{_segment(user)}/profile")

    def list_facts(self, user: str) -> Iterator[ApiFact]:
        return self._paged(f"/v1/users/{_segment(user)}/facts")

    def list_history(self, user: str, key: str) -> tuple[ApiFact, ...]:
        return tuple(self._paged(f"/v1/users/{_segment(user)}/facts/{_segment(key)}/history"))

    def start_conversation(self, user: str, title: str) -> str:
        body = {"user_id": user, "title": title}
        return self._call(ApiConversation, "POST", "/v1/conversations", json=body).conversation_id

    def get_context(self, conversation: str, message: str) -> ApiContext:
        path = f"/v1/conversations/{_segment(conversation)}/context"
        return self._call(ApiContext, "GET", path, params={"message": message})

    def send_message(self, conversation: str, author: str, content: str) -> ApiReply:
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


BATCH_EVENTS = 100
TRIES = 3
UNAVAILABLE = "unavailable"  # the one refusal that says nothing about the event itself
BATCH_BYTES = 500_000
"""Well below the 1 MB a request to the bus may take, whatever the envelope adds."""


@dataclass
class SendReport:
    """`repeated` counts the events whose id went out before in this run.

    The door takes them, memory ignores them.
    """

    by_type: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    repeated: int = 0
    rejected: list[tuple[str, ApiRejectedEvent]] = field(default_factory=list)

    @property
    def total_events(self) -> int:
        return self.by_type.total()


def send_events(api: ApiClient, events: Sequence[Event], *, advance: Callable[[int], object]) -> SendReport:
    """Send all events in order; `advance` hears the size of each batch once it is answered."""
    sent = SendReport(by_type=Counter(event["type"] for event in events))
    sent.repeated = len(events) - len({event["event_id"] for event in events})
    for batch in split_batches(events):
        _send_batch(api, batch, sent, tries_left=TRIES - 1)
        advance(len(batch))
    return sent


def _send_batch(api: ApiClient, batch: Sequence[Event], sent: SendReport, *, tries_left: int) -> None:
    """Send a batch, and again those of its events that the bus could not take just then."""
    receipt = api.send_events(batch)
    sent.accepted += len(receipt.accepted)
    again: list[Event] = []
    for refusal in receipt.rejected:
        event = batch[refusal.index]
        if refusal.code == UNAVAILABLE and tries_left:
            again.append(event)
        else:
            sent.rejected.append((event["event_id"], refusal))
    if again:
        _send_batch(api, again, sent, tries_left=tries_left - 1)


def split_batches(events: Sequence[Event]) -> Iterator[list[Event]]:
    batch: list[Event] = []
    room = BATCH_BYTES
    for event in events:
        size = len(json.dumps(event))
        if batch and (len(batch) == BATCH_EVENTS or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(event)
        room -= size
    if batch:
        yield batch
