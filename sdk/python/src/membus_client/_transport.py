"""Requests as the client sends them, and when one is sent again; without input or output."""

import json
import os
import platform
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from membus_client._errors import APIStatusError, MembusError, status_error

Event = Mapping[str, Any]
VERSION = "0.1.0"
WAIT_SECONDS, POLL_SECONDS = 60.0, 0.5
"""How long an answer is waited for, and how often it is asked for."""
TIMEOUT_SECONDS = 60.0
MAX_RETRIES = 2
FIRST_PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.5, 8.0
RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
REPEATABLE_CONFLICTS = frozenset({"in_progress"})
"""Codes of 409 that pass by themselves."""
FINAL_CODES = frozenset({"unsafe", "archive_damaged", "archive_thawing"})
"""Codes of 5xx that the same request would meet again at once."""


@dataclass(frozen=True)
class Settings:
    """Where the API is, the key, and how long and how often a call is tried."""

    url: str
    api_key: str | None
    socket_url: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS
    max_retries: int = MAX_RETRIES

    @classmethod
    def from_environment(cls, url: str | None, api_key: str | None, **options: Any) -> "Settings":
        """Return settings from arguments, else from `MEMBUS_URL`, `MEMBUS_API_KEY` and `MEMBUS_WS_URL`."""
        found = url or os.environ.get("MEMBUS_URL")
        if not found:
            raise MembusError("name the API's address: Membus(url=…), or set MEMBUS_URL")
        options.setdefault("socket_url", os.environ.get("MEMBUS_WS_URL"))
        return cls(found.rstrip("/"), api_key or os.environ.get("MEMBUS_API_KEY"), **options)

    @classmethod
    def from_stack_file(cls, file: str | Path, **options: Any) -> "Settings":
        """Return the settings of a local stack, which `make up` writes into `.local/stack.json`."""
        path = Path(file)
        if not path.exists():
            raise MembusError(f"{path} is not there: run `make up` in a checkout of membus, or name the file")
        stack = json.loads(path.read_text(encoding="utf-8"))
        return cls(stack["api_url"], stack["api_key"], socket_url=stack.get("ws_url"), **options)

    @property
    def headers(self) -> dict[str, str]:
        agent = f"membus-client-python/{VERSION} python/{platform.python_version()}"
        return {"User-Agent": agent} | ({"Authorization": f"Bearer {self.api_key}"} if self.api_key else {})


@dataclass(frozen=True)
class Request:
    """One call. A POST carries one Idempotency-Key over all its tries, so that none of them counts twice."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def request(
    method: str,
    *path: str,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    if_match: int | None = None,
    key: str | None = None,
) -> Request:
    """Return a request. Path segments are encoded, and what is None is left out of query and body."""
    segments = "/".join(quote(segment, safe=":") for segment in path)
    headers = {"Idempotency-Key": key or uuid4().hex} if method == "POST" else {}
    if if_match is not None:
        headers["If-Match"] = f'"{if_match}"'
    told = {name: _query_text(value) for name, value in (query or {}).items() if value is not None}
    given = None if body is None else {name: value for name, value in body.items() if value is not None}
    return Request(method, f"/v1/{segments}", told, given, headers)


def message(user_id: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return the event of a user's message; `fields` are those of an event, such as `session_id`."""
    return {"user_id": user_id, "type": "message.sent", "payload": {"text": text}, **fields}


def event(user_id: str, kind: str, payload: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Return an event of any type."""
    return {"user_id": user_id, "type": kind, "payload": dict(payload), **fields}


def moment_text(value: datetime | str | None) -> str | None:
    """Return a moment as the API reads it."""
    return value.isoformat() if isinstance(value, datetime) else value


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict) else str(value)


def pause_before_retry(
    status: int | None, code: str, retry_after_seconds: float | None, *, tries: int
) -> float | None:
    """Return how long to wait before another try, None where none helps; without a status nothing came back."""
    is_repeatable = (
        status is None or (status in RETRYABLE and code not in FINAL_CODES) or code in REPEATABLE_CONFLICTS
    )
    if not is_repeatable:
        return None
    if retry_after_seconds is not None:
        return retry_after_seconds
    pause: float = min(FIRST_PAUSE_SECONDS * 2**tries, PAUSE_SECONDS_MAX)
    return pause * random.uniform(0.5, 1)  # noqa: S311 - jitter


def error_of(status: int, text: str, headers: Mapping[str, str]) -> APIStatusError:
    """Return the error of an answer, whose body is problem+json or the gateway's own."""
    try:
        problem = json.loads(text)
    except ValueError:
        problem = {}
    after = headers.get("retry-after")
    seconds = float(after) if after and after.replace(".", "", 1).isdigit() else None
    return status_error(status, problem if isinstance(problem, dict) else {}, seconds)
