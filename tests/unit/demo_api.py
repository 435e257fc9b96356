"""A stand-in for the HTTP API behind httpx2's mock transport: it accepts events and has canned facts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from scripts.demo.api import ApiClient

NOON = "2026-11-10T12:00:00Z"


def a_fact(key: str = "home.city", value: str = "Bath", **given: Any) -> dict[str, Any]:
    provenance = {"event_id": "e-1", "event_type": "message.sent", "quote": f"{value}, that is", "rule": None}
    fact = {"key": key, "value": value, "kind": "place", "trust": "user_stated", "valid_from": NOON}
    return fact | {"provenance": provenance | given.pop("provenance", {})} | given


@dataclass
class CannedApi:
    """`facts` by user, `lines` of facts in the prompt; `refuse` and `busy_once` name events by id."""

    facts: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=dict)
    histories: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=dict)
    lines: Sequence[str] = ()
    refuse: frozenset[str] = frozenset()
    busy_once: set[str] = field(default_factory=set)
    received: list[dict[str, Any]] = field(default_factory=list)

    def client(self) -> ApiClient:
        return ApiClient("http://membus.test", "mb_key", transport=httpx2.MockTransport(self.serve))

    def serve(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.strip("/").split("/")[1:]
        if path == ["events"]:
            return self._take(json.loads(request.content)["events"])
        return httpx2.Response(200, json=self._known(path, request.url.params.get("cursor")))

    def _known(self, path: list[str], cursor: str | None) -> dict[str, Any]:
        match path:
            case ["users", user, "profile"]:
                return {"version": 3, "facts": list(self.facts.get(user, ()))}
            case ["users", user, "facts"]:
                return _page(list(self.facts.get(user, ())), cursor)
            case ["users", _, "facts", key, "history"]:
                return _page(list(self.histories.get(key, ())), cursor)
            case ["conversations"]:
                return {"conversation_id": "c-1"}
            case ["conversations", _, "context"]:
                sections = [{"name": "system", "tokens": 200}, {"name": "profile", "tokens": 40}]
                return {"sections": sections, "budget": 15000, "total_tokens": 240, "facts": self.lines}
            case _:
                return {"message": {"content": "Squash dhal."}, "usage": {"input": 250, "output": 4}}

    def _take(self, events: list[dict[str, Any]]) -> httpx2.Response:
        self.received += events
        accepted, rejected = [], []
        for index, event in enumerate(events):
            if event["event_id"] in self.refuse:
                rejected.append({"index": index, "code": "invalid", "detail": "no such type"})
            elif event["event_id"] in self.busy_once:
                self.busy_once.remove(event["event_id"])
                rejected.append({"index": index, "code": "unavailable", "detail": "send it again"})
            else:
                accepted.append({"index": index, "event_id": event["event_id"]})
        return httpx2.Response(202 if accepted else 422, json={"accepted": accepted, "rejected": rejected})


def _page(facts: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    """Return two facts a page, so that every caller has to follow the cursor."""
    start = int(cursor or 0)
    following = str(start + 2) if start + 2 < len(facts) else None
    return {"items": facts[start : start + 2], "next_cursor": following}
