"""The public doors as a test uses them: raw answers, nothing retried."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import httpx2

T = TypeVar("T")
PATIENCE_SECONDS = 90


class Client:
    """Calls the deployed API with one key (None: without any)."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx2.Client(base_url=url, headers=headers, timeout=60)

    def close(self) -> None:
        self.http.close()

    def get(self, path: str, **query: str) -> httpx2.Response:
        return self.http.get(path, params=query)

    def post(self, path: str, body: Any, *, key: str | None = "") -> httpx2.Response:
        """`key` is the Idempotency-Key: a fresh one by default, none at all for None."""
        headers = {} if key is None else {"Idempotency-Key": key or uuid4().hex}
        return self.http.post(path, json=body, headers=headers)

    def send(self, *events: dict[str, Any]) -> list[str]:
        """Send events that must all be accepted, and return their ids."""
        answer = self.post("/v1/events", {"events": list(events)}, key=None)
        assert answer.status_code == 202, answer.text
        assert answer.json()["rejected"] == []
        return [each["event_id"] for each in answer.json()["accepted"]]

    def facts(self, user: str) -> dict[str, str]:
        profile = self.get(f"/v1/users/{user}/profile").json()
        return {fact["key"]: fact["value"] for fact in profile["facts"]}


def said(user: str, text: str, **members: Any) -> dict[str, Any]:
    return {"user_id": user, "type": "message.sent", "payload": {"text": text}, **members}


def server_error(user: str, at: datetime, **members: Any) -> dict[str, Any]:
    payload = {"status": 500, "path": "/checkout"}
    return {
        "user_id": user,
        "type": "error.shown",
        "occurred_at": at.isoformat(),
        "payload": payload,
        **members,
    }


def somebody(prefix: str = "user") -> str:
    """Return a user id nobody else in this run has."""
    return f"{prefix}-{uuid4().hex[:12]}"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def eventually(ask: Callable[[], T], until: Callable[[T], bool], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Ask until the answer is right or patience ends; return the last answer either way."""
    deadline, pause = time.monotonic() + seconds, 0.1
    answer = ask()
    while not until(answer) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
        answer = ask()
    return answer


def codes(rejected: Sequence[dict[str, Any]]) -> dict[int, str]:
    return {each["index"]: each["code"] for each in rejected}
