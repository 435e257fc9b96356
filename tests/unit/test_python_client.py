"""The Python client over a scripted transport: retries, errors, pages, and that it covers the API."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

import membus_client
from membus_client import (
    APIConnectionError,
    APITimeoutError,
    ConflictError,
    EventsRejectedError,
    Membus,
    MembusError,
    NotFoundError,
    RestoreInProgressError,
    ServerError,
    Settings,
    UnprocessableError,
    message,
)
from membus_client import _models as models
from membus_client import _transport as transport

ROOT = Path(__file__).parents[2]
DOCUMENT = json.loads((ROOT / "functions/api/openapi.json").read_text())
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]] | Exception
FACT = {
    "key": "home.city",
    "value": "Bath",
    "kind": "place",
    "trust": "user_stated",
    "confidence": 0.9,
    "valid_from": "2026-11-20T12:00:00Z",
    "learned_at": "2026-11-20T12:00:00Z",
    "version": 1,
    "provenance": {
        "event_id": "e1",
        "event_type": "message.sent",
        "origin": "api",
        "agent_id": "default",
        "quote": "I live in Bath",
    },
}


class Wire:
    """Answers requests in turn, the last answer for ever, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        return httpx2.Response(status, json=body, headers=headers[0] if headers else {})


def client(wire: Callable[[httpx2.Request], httpx2.Response], **options: Any) -> Membus:
    settings = Settings("http://membus.test", "mb_key", **options)
    return Membus(settings=settings, transport=httpx2.MockTransport(wire))


def problem(status: int, code: str, **fields: Any) -> tuple[int, Any, dict[str, str]]:
    return status, {"code": code, "detail": "why", "request_id": "r-1", **fields}, {"Retry-After": "0"}


def test_a_post_is_sent_again_under_the_same_key() -> None:
    wire = Wire(httpx2.ConnectError("refused"), problem(503, "unavailable"), (201, {"items": []}))

    assert client(wire).memories.add([{"text": "tea"}]) == []

    keys = {request.headers["Idempotency-Key"] for request in wire.asked}
    assert (len(wire.asked), len(keys)) == (3, 1)
    assert wire.asked[0].headers["Authorization"] == "Bearer mb_key"


@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        (problem(422, "invalid"), UnprocessableError, 1),
        (problem(409, "version_conflict", current_version=4), ConflictError, 1),
        (problem(409, "in_progress"), ConflictError, 3),
        (problem(503, "unavailable"), ServerError, 3),
        (problem(500, "unsafe"), ServerError, 1),
        ((404, "no json"), NotFoundError, 1),
        (httpx2.ConnectError("refused"), APIConnectionError, 3),
        (httpx2.ReadTimeout("slow"), APITimeoutError, 1),
    ],
)
def test_only_what_may_pass_is_tried_again(
    answer: Answer, error: type[Exception], tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    wire = Wire(answer)

    with pytest.raises(error):
        client(wire).user("ada").profile()

    assert len(wire.asked) == tries


def test_an_error_carries_code_request_and_version() -> None:
    wire = Wire(problem(409, "version_conflict", current_version=4))

    with pytest.raises(ConflictError) as raised:
        client(wire).user("ada").facts.set("home.city", "Oslo", expected_version=3)

    assert (raised.value.code, raised.value.request_id, raised.value.current_version) == (
        "version_conflict",
        "r-1",
        4,
    )
    assert json.loads(wire.asked[0].content) == {"value": "Oslo", "expected_version": 3}


def test_a_pause_longer_than_the_timeout_is_not_waited_for() -> None:
    wire = Wire((429, {"code": "rate_limited"}, {"Retry-After": "3600"}))

    with pytest.raises(MembusError):
        client(wire, timeout_seconds=5).health()

    assert len(wire.asked) == 1


def test_pages_are_asked_for_as_they_are_reached() -> None:
    wire = Wire((200, {"items": [FACT], "next_cursor": "c 2"}), (200, {"items": [FACT], "next_cursor": None}))
    facts = client(wire).user("ada").facts.list(kind="place")

    first = next(facts)
    asked_first = len(wire.asked)

    assert (first.key, asked_first) == ("home.city", 1)
    assert [fact.value for fact in facts] == ["Bath"]
    assert dict(wire.asked[1].url.params) == {"kind": "place", "cursor": "c 2"}


def test_rejected_events_are_an_error_unless_they_are_allowed() -> None:
    receipt = {
        "accepted": [{"index": 0, "event_id": "e1"}],
        "rejected": [{"index": 1, "code": "invalid", "detail": "no text"}],
    }
    membus = client(Wire((202, receipt)))

    with pytest.raises(EventsRejectedError, match="1: invalid: no text"):
        membus.events.send([message("ada", "hi"), message("ada", "")])
    assert membus.events.send([], allow_rejected=True).accepted[0].event_id == "e1"


@pytest.mark.parametrize("user", ["a b", "मोहन", "a/b", "a?b#c", "ada@example.com"])
def test_ids_are_encoded_as_one_segment(user: str) -> None:
    wire = Wire((200, {"facts": [], "text": "", "tokens": 0, "version": 0}))

    client(wire).user(user).profile()

    path = wire.asked[0].url.raw_path.decode()
    assert path.count("/") == 4
    assert httpx2.URL(f"http://x{path}").path == f"/v1/users/{user}/profile"


def test_an_answer_that_takes_long_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    told = {"message_id": "m", "role": "assistant", "author": "ada", "created_at": "2026-11-20T12:00:00Z"}
    pending, done = (
        told | {"content": "", "status": "pending"},
        told | {"content": "Bath.", "status": "complete"},
    )
    wire = Wire((202, {"message": pending}), (200, pending), (200, done))

    answer = client(wire).conversations.say("c", "Where do I live?", author="ada")

    assert (answer.text, len(wire.asked)) == ("Bath.", 3)


def test_archived_episodes_on_their_way_back_are_an_error_with_their_job() -> None:
    wire = Wire((202, {"job_id": "restore-1", "kind": "restore", "status": "running"}))

    with pytest.raises(RestoreInProgressError, match="restore-1") as raised:
        list(client(wire).agent("a").episodes())

    assert raised.value.job.job_id == "restore-1"


def test_the_end_of_a_text_is_lifted_by_none() -> None:
    wire = Wire((200, {}))

    with suppress(ValidationError):
        client(wire).memories.update("m", expires_at=None)

    assert json.loads(wire.asked[0].content) == {"expires_at": None}


def test_an_erasure_has_to_be_confirmed() -> None:
    with pytest.raises(MembusError, match="confirm='ada'"):
        client(Wire((202, {}))).user("ada").erase(confirm="eve")


def test_an_unknown_address_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MEMBUS_URL", raising=False)
    with pytest.raises(MembusError, match="MEMBUS_URL"):
        Membus()
    with pytest.raises(MembusError, match="make up"):
        Membus.local(tmp_path / "stack.json")


def test_new_fields_of_an_answer_are_kept() -> None:
    profile = (
        client(Wire((200, {"facts": [], "text": "", "tokens": 0, "version": 0, "new": 1})))
        .user("a")
        .profile()
    )

    assert profile.model_extra == {"new": 1}
    with pytest.raises(ValidationError):
        profile.version = 2  # type: ignore[misc] # so it is


def test_the_sync_client_is_made_from_the_async_one(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "sdk/python/make_sync.py"), str(tmp_path)], check=True)

    for made in tmp_path.iterdir():
        kept = ROOT / "sdk/python/src/membus_client" / made.name
        assert made.read_text() == kept.read_text(), "run sdk/python/make_sync.py"


def everything(membus: Membus) -> None:
    """Call every method once, whatever comes back."""
    ada, guide, talks = membus.user("u"), membus.agent("a"), membus.conversations
    for call in (
        membus.health,
        membus.openapi,
        membus.usage,
        membus.get_settings,
        lambda: membus.change_settings({}),
        lambda: membus.search("x"),
        lambda: membus.events.send([]),
        ada.profile,
        ada.export,
        lambda: ada.event("e"),
        lambda: ada.erase(confirm="u"),
        lambda: ada.purge_event("e"),
        lambda: list(ada.facts.list()),
        lambda: list(ada.facts.history("k")),
        lambda: ada.facts.get("k"),
        lambda: ada.facts.set("k", "v"),
        lambda: ada.facts.set_many([]),
        lambda: ada.facts.delete("k"),
        lambda: list(ada.review.list()),
        lambda: ada.review.approve("q"),
        lambda: ada.review.reject("q"),
        lambda: list(guide.episodes()),
        lambda: guide.append([]),
        lambda: list(guide.sessions()),
        lambda: guide.get_state("s"),
        lambda: guide.put_state("s", {}),
        lambda: guide.delete_state("s"),
        lambda: list(membus.memories.list()),
        lambda: membus.memories.add([]),
        lambda: membus.memories.get("m"),
        lambda: membus.memories.update("m"),
        lambda: membus.memories.delete("m"),
        lambda: talks.create("u"),
        lambda: list(talks.list()),
        lambda: talks.get("c"),
        lambda: talks.update("c"),
        lambda: talks.delete("c"),
        lambda: list(talks.messages("c")),
        lambda: talks.message("c", "m"),
        lambda: talks.say("c", "hi", author="u"),
        lambda: talks.context("c"),
        lambda: talks.message_context("c", "m"),
        lambda: talks.tool_results("c", "m"),
        lambda: talks.summary("c"),
        lambda: talks.handoff("c"),
        lambda: membus.jobs.get("j"),
    ):
        with suppress(ValidationError, KeyError):  # an empty object is no answer of theirs
            call()


def test_every_operation_of_the_document_has_a_method() -> None:
    wire = Wire((200, {}))
    everything(client(wire))
    names = {"u": "user", "a": "agent", "k": "key", "q": "quarantine_id", "s": "session", "m": "message"}
    asked = {(request.method.lower(), request.url.path) for request in wire.asked}

    documented = {
        (method, path)
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if method in {"get", "post", "put", "patch", "delete"}
        and not path.startswith("/v1/mcp/")  # clients of that protocol speak it
    }

    assert {(method, _template(path, names)) for method, path in asked} == documented


def _template(path: str, names: dict[str, str]) -> str:
    """Return the path of the document: `/v1/users/u/facts` is `/v1/users/{user}/facts`."""
    parts = path.split("/")
    for place, part in enumerate(parts):
        name, colon, action = part.partition(":")
        before = parts[place - 1] if place else ""
        own = {"conversations": "conversation", "memories": "memory", "jobs": "job", "events": "event"}
        if name in names or (len(name) == 1 and before in own):
            parts[place] = f"{{{own.get(before, names.get(name, name))}}}{colon}{action}"
    return "/".join(parts)


@pytest.mark.parametrize(
    ("model", "schema"),
    [
        (models.Fact, "Fact"),
        (models.ExplainedFact, "ExplainedFact"),
        (models.FactVersion, "FactVersion"),
        (models.Profile, "ProfileOut"),
        (models.Provenance, "Provenance"),
        (models.AcceptedEvent, "AcceptedEvent"),
        (models.RejectedEvent, "RejectedEvent"),
        (models.EventReceipt, "EventReceipt"),
        (models.EventOutcome, "EventOutcome"),
        (models.Episode, "EpisodeOut"),
        (models.ReviewItem, "ReviewItemOut"),
        (models.SearchResult, "SearchResult"),
        (models.SearchResults, "SearchResults"),
        (models.Memory, "MemoryOut"),
        (models.MemoryReceipt, "MemoryReceipt"),
        (models.Conversation, "Conversation"),
        (models.Message, "Message"),
        (models.ChatAnswer, "ChatAnswer"),
        (models.State, "State"),
        (models.StateInfo, "StateInfo"),
        (models.Usage, "UsageReport"),
        (models.Health, "Health"),
    ],
)
def test_models_have_no_field_that_the_document_lacks(model: type[models.Model], schema: str) -> None:
    documented = next(
        each
        for name, each in DOCUMENT["components"]["schemas"].items()
        if name.split("__")[-1] == schema or name == schema
    )

    assert set(model.model_fields) <= set(documented["properties"])


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{transport.VERSION}"' in (ROOT / "sdk/python/pyproject.toml").read_text()
    assert membus_client.__version__ == transport.VERSION
