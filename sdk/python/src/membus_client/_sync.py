"""The client. Made by `make_sync.py`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx2

from membus_client import _models as models
from membus_client._errors import (
    APIConnectionError,
    APITimeoutError,
    EventsRejectedError,
    MembusError,
    NotFoundError,
    WaitTimeoutError,
)
from membus_client._transport import Request, Settings, error_of, pause_before_retry, request

ModelT = TypeVar("ModelT", bound=models.Model)
Event = Mapping[str, Any]
ERROR_STATUS, ACCEPTED = 400, 202
WAIT_SECONDS, POLL_SECONDS = 60.0, 0.5
ENDED_JOBS = frozenset({"done", "failed"})


def message(user_id: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return the event of a user's message; `fields` are those of an event, such as `session_id`."""
    return {"user_id": user_id, "type": "message.sent", "payload": {"text": text}, **fields}


def event(user_id: str, kind: str, payload: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Return an event of any type."""
    return {"user_id": user_id, "type": kind, "payload": dict(payload), **fields}


class Membus:
    """A client of one tenant, by its API key. Use it with `async with`, or call `close`."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        settings: Settings | None = None,
        transport: httpx2.BaseTransport | None = None,
        **options: Any,
    ) -> None:
        """`options` are `timeout_seconds`, `max_retries` and `socket_url`; `transport` is for tests."""
        self.settings = settings or Settings.from_environment(url, api_key, **options)
        self._http = httpx2.Client(
            base_url=self.settings.url,
            headers=self.settings.headers,
            timeout=self.settings.timeout_seconds,
            transport=transport,
        )
        self.events = Events(self)
        self.memories = Memories(self)
        self.conversations = Conversations(self)
        self.jobs = Jobs(self)

    @classmethod
    def local(cls, file: str | Path = ".local/stack.json", **options: Any) -> Self:
        """Return a client of the local stack that `make up` started."""
        return cls(settings=Settings.from_stack_file(file, **options))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def user(self, user_id: str) -> "User":
        """Return the memory of one user: nothing that it does can be about another."""
        return User(self, user_id)

    def agent(self, agent_id: str) -> "Agent":
        return Agent(self, agent_id)

    def search(
        self,
        query: str,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        session_id: str | None = None,
        k: int = 10,
        kinds: Sequence[str] = (),
        mode: str = "hybrid",
        filters: Mapping[str, Any] | None = None,
        max_tokens: int | None = None,
        as_of: datetime | str | None = None,
        explain: bool = False,
    ) -> models.SearchResults:
        """Search every kind of memory: facts, episodes, documents and summaries, best first."""
        body = {
            "query": query,
            "user_id": user_id,
            "agent_id": agent_id,
            "session_id": session_id,
            "k": k,
            "kinds": list(kinds) or None,
            "mode": mode,
            "filters": filters,
            "max_tokens": max_tokens,
            "as_of": _moment(as_of),
            "explain": explain,
        }
        return self.call(request("POST", "search", body=body), models.SearchResults)

    def usage(self, *, since: str | None = None, until: str | None = None) -> models.Usage:
        """Return tokens, calls and dollars by day, function and model; days are written 2026-11-30."""
        query = {"from": since, "to": until}
        return self.call(request("GET", "usage", query=query), models.Usage)

    def health(self) -> models.Health:
        return self.call(request("GET", "health"), models.Health)

    def openapi(self) -> dict[str, Any]:
        """Return the description of the API."""
        answer: dict[str, Any] = (self.send(request("GET", "openapi.json"))).json()
        return answer

    def call(self, asked: Request, model: type[ModelT]) -> ModelT:
        """Send a request and return its answer as a model."""
        return model.model_validate_json((self.send(asked)).content)

    def pages(self, asked: Request, model: type[ModelT]) -> Iterator[ModelT]:
        """Yield the items of all pages, each page asked for when it is reached."""
        cursor: str | None = None
        while True:
            query = {**asked.query, "cursor": cursor} if cursor else asked.query
            page = (self.send(Request(asked.method, asked.path, query))).json()
            for item in page["items"]:
                yield model.model_validate(item)
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def send(self, asked: Request) -> httpx2.Response:
        """Send a request, again where that may help and time is left; raises an `APIStatusError` else."""
        deadline, tries = time.monotonic() + self.settings.timeout_seconds, 0
        while True:
            failure: MembusError
            try:
                answer = self._http.request(
                    asked.method,
                    asked.path,
                    params=dict(asked.query),
                    json=asked.body,
                    headers=dict(asked.headers),
                    timeout=max(deadline - time.monotonic(), 0.001),
                )
            except httpx2.TimeoutException as error:
                raise APITimeoutError(f"{asked.method} {asked.path} took too long") from error
            except httpx2.TransportError as error:
                failure = APIConnectionError(f"{self.settings.url} cannot be reached: {error}")
                pause = pause_before_retry(None, "", None, tries=tries)
            else:
                if answer.status_code < ERROR_STATUS:
                    return answer
                wrong = error_of(answer.status_code, answer.text, answer.headers)
                pause = pause_before_retry(wrong.status, wrong.code, wrong.retry_after_seconds, tries=tries)
                failure = wrong
            tries += 1
            is_over = pause is None or tries > self.settings.max_retries
            if is_over or time.monotonic() + (pause or 0) >= deadline:
                raise failure
            time.sleep(pause or 0)


class Events:
    """What users did."""

    def __init__(self, client: Membus) -> None:
        self._client = client

    def send(self, events: Sequence[Event], *, allow_rejected: bool = False) -> models.EventReceipt:
        """Send up to 100 events; raises `EventsRejectedError` where one is rejected, unless that is allowed."""
        asked = request("POST", "events", body={"events": list(events)})
        receipt = self._client.call(asked, models.EventReceipt)
        if receipt.rejected and not allow_rejected:
            raise EventsRejectedError(receipt)
        return receipt


class User:
    """The memory of one user."""

    def __init__(self, client: Membus, user_id: str) -> None:
        self._client, self.user_id = client, user_id
        self.facts = Facts(client, user_id)
        self.review = Review(client, user_id)

    def remember(self, text: str, **fields: Any) -> str:
        """Send something that the user said, and return the id of its event."""
        receipt = self._client.events.send([message(self.user_id, text, **fields)])
        return receipt.accepted[0].event_id

    def event(self, event_id: str) -> models.EventOutcome:
        """Return what became of an event."""
        asked = request("GET", "users", self.user_id, "events", event_id)
        return self._client.call(asked, models.EventOutcome)

    def wait_read(self, event_id: str, *, timeout: float = WAIT_SECONDS) -> models.EventOutcome:
        """Wait until an event has been read, and return what became of it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with suppress(NotFoundError):  # it is still on the bus
                found = self.event(event_id)
                if found.status != "waiting":
                    return found
            time.sleep(POLL_SECONDS)
        raise WaitTimeoutError(f"event {event_id} was not read within {timeout:g} seconds")

    def profile(self, *, as_of: datetime | str | None = None) -> models.Profile:
        """Return what is known about the user, compact; `text` is ready for a prompt."""
        asked = request("GET", "users", self.user_id, "profile", query={"as_of": _moment(as_of)})
        return self._client.call(asked, models.Profile)

    def search(self, query: str, **options: Any) -> models.SearchResults:
        return self._client.search(query, user_id=self.user_id, **options)

    def erase(self, *, confirm: str) -> models.Job:
        """Erase everything about the user, for good. `confirm` has to be the user's id."""
        if confirm != self.user_id:
            raise MembusError(f"to erase {self.user_id}, pass confirm={self.user_id!r}")
        return self._client.call(request("POST", "users", f"{self.user_id}:erase"), models.Job)

    def export(self) -> models.Job:
        """Begin to write all that is known of the user into one archive; wait for it with `jobs.wait`."""
        return self._client.call(request("POST", "users", f"{self.user_id}:export"), models.Job)


class Facts:
    """The facts about one user."""

    def __init__(self, client: Membus, user_id: str) -> None:
        self._client, self._path = client, ("users", user_id, "facts")

    def list(
        self,
        *,
        kind: str | None = None,
        as_of: datetime | str | None = None,
        known_at: datetime | str | None = None,
    ) -> Iterator[models.Fact]:
        """Return all facts, those of one kind, or those that were true, or known, at a moment."""
        query = {"kind": kind, "as_of": _moment(as_of), "known_at": _moment(known_at)}
        return self._client.pages(request("GET", *self._path, query=query), models.Fact)

    def get(self, key: str, *, explain: bool = False) -> models.ExplainedFact:
        """Return a fact, with `explain` and why it is believed; `NotFoundError` where nothing is known."""
        asked = request("GET", *self._path, key, query={"explain": explain or None})
        return self._client.call(asked, models.ExplainedFact)

    def history(self, key: str) -> Iterator[models.FactVersion]:
        """Return every version of a fact and what caused it."""
        return self._client.pages(request("GET", *self._path, key, "history"), models.FactVersion)

    def set(
        self,
        key: str,
        value: str,
        *,
        pinned: bool = False,
        expected_version: int | None = None,
        **fields: Any,
    ) -> models.Fact:
        """Set a fact by hand; `ConflictError` where `expected_version` is not the one that is stored."""
        body = {"value": value, "pinned": pinned or None, "expected_version": expected_version, **fields}
        return self._client.call(request("PUT", *self._path, key, body=body), models.Fact)

    def set_many(self, facts: Sequence[Mapping[str, Any]]) -> Sequence[models.FactResult]:
        """Set up to 100 facts, each on its own; a result says of each whether it was set."""
        path = (*self._path[:-1], "facts:batch")
        answer = (self._client.send(request("POST", *path, body={"facts": list(facts)}))).json()
        return [models.FactResult.model_validate(each) for each in answer["results"]]

    def delete(self, key: str, *, expected_version: int | None = None) -> None:
        """Take a fact back by hand."""
        self._client.send(request("DELETE", *self._path, key, if_match=expected_version))


class Review:
    """What was read about one user and not believed."""

    def __init__(self, client: Membus, user_id: str) -> None:
        self._client, self._path = client, ("users", user_id, "quarantine")

    def list(self) -> Iterator[models.ReviewItem]:
        return self._client.pages(request("GET", *self._path), models.ReviewItem)

    def approve(self, quarantine_id: str) -> models.Fact:
        """Believe it: it becomes a fact set by hand."""
        return self._client.call(request("POST", *self._path, f"{quarantine_id}:approve"), models.Fact)

    def reject(self, quarantine_id: str) -> None:
        """Do not believe it, now or when it is read again."""
        self._client.send(request("POST", *self._path, f"{quarantine_id}:reject"))


class Agent:
    """The episodes and the working memory of one agent."""

    def __init__(self, client: Membus, agent_id: str) -> None:
        self._client, self._path = client, ("agents", agent_id)

    def episodes(
        self,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
    ) -> Iterator[models.Episode]:
        """Return what happened, in the order of time; `ServerError` while archived episodes come back."""
        query = {
            "from": _moment(since),
            "to": _moment(until),
            "user_id": user_id,
            "session_id": session_id,
        }
        return self._client.pages(request("GET", *self._path, "episodes", query=query), models.Episode)

    def append(self, episodes: Sequence[Event]) -> models.EventReceipt:
        """Append episodes that can be read at once, and are learned from."""
        asked = request("POST", *self._path, "episodes", body={"episodes": list(episodes)})
        return self._client.call(asked, models.EventReceipt)

    def sessions(self) -> Iterator[models.StateInfo]:
        """Return the sessions that have a state."""
        return self._client.pages(request("GET", *self._path, "sessions"), models.StateInfo)

    def get_state(self, session_id: str) -> models.State:
        return self._client.call(request("GET", *self._state_path(session_id)), models.State)

    def put_state(
        self,
        session_id: str,
        data: Mapping[str, Any],
        *,
        expected_version: int | None = None,
        ttl_seconds: int | None = None,
        user_id: str | None = None,
    ) -> models.State:
        """Replace the state of a session; `ConflictError` where another writer was faster."""
        body = {
            "data": dict(data),
            "expected_version": expected_version,
            "ttl_seconds": ttl_seconds,
            "user_id": user_id,
        }
        return self._client.call(request("PUT", *self._state_path(session_id), body=body), models.State)

    def delete_state(self, session_id: str, *, expected_version: int | None = None) -> None:
        self._client.send(request("DELETE", *self._state_path(session_id), if_match=expected_version))

    def _state_path(self, session_id: str) -> tuple[str, ...]:
        return (*self._path, "sessions", session_id, "state")


class Memories:
    """Texts that an application puts into memory itself."""

    def __init__(self, client: Membus) -> None:
        self._client = client

    def list(
        self,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> Iterator[models.Memory]:
        """Return the texts, the newest first."""
        query = {"user_id": user_id, "agent_id": agent_id, "filters": dict(filters) if filters else None}
        return self._client.pages(request("GET", "memories", query=query), models.Memory)

    def add(self, items: Sequence[Mapping[str, Any]]) -> Sequence[models.MemoryReceipt]:
        """Put up to 100 texts into memory: `{"text": …, "user_id"?, "agent_id"?, "metadata"?, "expires_at"?}`."""
        answer = self._client.send(request("POST", "memories", body={"items": list(items)}))
        return [models.MemoryReceipt.model_validate(each) for each in answer.json()["items"]]

    def get(self, memory_id: str) -> models.Memory:
        return self._client.call(request("GET", "memories", memory_id), models.Memory)

    def update(self, memory_id: str, **changes: Any) -> models.Memory:
        """Change the text, its metadata or its end."""
        return self._client.call(request("PATCH", "memories", memory_id, body=changes), models.Memory)

    def delete(self, memory_id: str) -> None:
        self._client.send(request("DELETE", "memories", memory_id))


class Conversations:
    """Conversations, their messages, and the answers of membus's own chat."""

    def __init__(self, client: Membus) -> None:
        self._client = client

    def create(self, user_id: str, **fields: Any) -> models.Conversation:
        """Start a conversation; `fields` are `agent_id`, `title` and `members`."""
        body = {"user_id": user_id, **fields}
        return self._client.call(request("POST", "conversations", body=body), models.Conversation)

    def list(self, *, status: str = "active", user_id: str | None = None) -> Iterator[models.Conversation]:
        query = {"status": status, "user_id": user_id}
        return self._client.pages(request("GET", "conversations", query=query), models.Conversation)

    def get(self, conversation_id: str, *, user_id: str | None = None) -> models.Conversation:
        asked = request("GET", "conversations", conversation_id, query={"user_id": user_id})
        return self._client.call(asked, models.Conversation)

    def update(self, conversation_id: str, **changes: Any) -> models.Conversation:
        """Rename, archive, bring back or share a conversation."""
        asked = request("PATCH", "conversations", conversation_id, body=changes)
        return self._client.call(asked, models.Conversation)

    def delete(self, conversation_id: str) -> None:
        self._client.send(request("DELETE", "conversations", conversation_id))

    def messages(
        self, conversation_id: str, *, order: str = "oldest", user_id: str | None = None
    ) -> Iterator[models.Message]:
        """Return the messages, from either end."""
        query = {"order": order, "user_id": user_id}
        path = ("conversations", conversation_id, "messages")
        return self._client.pages(request("GET", *path, query=query), models.Message)

    def message(self, conversation_id: str, message_id: str, *, user_id: str | None = None) -> models.Message:
        """Return one message, and whether it is complete."""
        path = ("conversations", conversation_id, "messages", message_id)
        return self._client.call(request("GET", *path, query={"user_id": user_id}), models.Message)

    def say(
        self,
        conversation_id: str,
        content: str,
        *,
        author: str,
        remember: bool | None = None,
        key: str | None = None,
        timeout: float = WAIT_SECONDS,
    ) -> models.ChatAnswer:
        """Say something and return the stored answer, also one that takes longer than a request.

        `key` names the message: sent again with it, the model is not asked twice.
        """
        body = {"content": content, "author": author, "remember": remember}
        asked = request("POST", "conversations", conversation_id, "messages", body=body, key=key)
        answer = self._client.send(asked)
        found = models.ChatAnswer.model_validate_json(answer.content)
        if answer.status_code != ACCEPTED:
            return found
        return self._wait_answer(conversation_id, found, timeout)

    def _wait_answer(
        self, conversation_id: str, pending: models.ChatAnswer, timeout: float
    ) -> models.ChatAnswer:
        deadline, message_id = time.monotonic() + timeout, pending.message.message_id
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            reply = self.message(conversation_id, message_id)
            if reply.status != "pending":
                return pending.model_copy(update={"message": reply})
        raise WaitTimeoutError(f"message {message_id} was not answered within {timeout:g} seconds")

    def context(self, conversation_id: str, text: str = "", **options: Any) -> dict[str, Any]:
        """Return exactly what a message would send, by section; `options` are `author` and `user_id`."""
        query = {"message": text, **options}
        return self._json("GET", conversation_id, "context", query=query)

    def message_context(
        self, conversation_id: str, message_id: str, *, user_id: str | None = None
    ) -> dict[str, Any]:
        """Return the prompt of an old reply, made again and checked."""
        path = (conversation_id, "messages", message_id, "context")
        return self._json("GET", *path, query={"user_id": user_id})

    def tool_results(
        self, conversation_id: str, message_id: str, *, user_id: str | None = None
    ) -> dict[str, Any]:
        """Return all that the tools of a reply gave."""
        path = (conversation_id, "messages", message_id, "results")
        return self._json("GET", *path, query={"user_id": user_id})

    def summary(self, conversation_id: str, *, user_id: str | None = None) -> dict[str, Any]:
        """Return the summaries, their slots and their verification."""
        return self._json("GET", conversation_id, "summary", query={"user_id": user_id})

    def handoff(self, conversation_id: str, *, user_id: str | None = None) -> dict[str, Any]:
        """Return everything that another agent needs to go on with the conversation."""
        return self._json("GET", conversation_id, "handoff", query={"user_id": user_id})

    def _json(self, method: str, *path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._client.send(request(method, "conversations", *path, query=query))
        body: dict[str, Any] = answer.json()
        return body

    def stream(self, conversation_id: str, content: str, *, author: str) -> Iterator[models.ChatPiece]:
        """Yield an answer word by word over the WebSocket; a broken connection is resumed.

        Needs `membus-client[chat]`, and the settings' `socket_url`.
        """
        from membus_client._chat_sync import stream_answer  # noqa: PLC0415 - the extra is optional

        asked = {
            "action": "chat",
            "conversation_id": conversation_id,
            "content": content,
            "author": author,
            "request_id": uuid4().hex,
        }
        for piece in stream_answer(self._client.settings, asked):
            yield piece


class Jobs:
    """Erasures and exports, which take a while."""

    def __init__(self, client: Membus) -> None:
        self._client = client

    def get(self, job_id: str) -> models.Job:
        return self._client.call(request("GET", "jobs", job_id), models.Job)

    def wait(self, job: models.Job | str, *, timeout: float = 600.0) -> models.Job:
        """Wait until a job has ended, and return it with its receipt or its address."""
        job_id, deadline = job if isinstance(job, str) else job.job_id, time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.get(job_id)
            if found.status in ENDED_JOBS:
                return found
            time.sleep(POLL_SECONDS)
        raise WaitTimeoutError(f"job {job_id} did not end within {timeout:g} seconds")


def _moment(value: datetime | str | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value
