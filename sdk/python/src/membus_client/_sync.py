"""The client. Made by `make_sync.py`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from membus_client import _models as models
from membus_client._errors import APIConnectionError, APITimeoutError, MembusError, RestoreInProgressError
from membus_client._sync_conversations import Conversations
from membus_client._sync_jobs import Jobs
from membus_client._sync_memories import Agent, Memories
from membus_client._sync_users import Events, User
from membus_client._transport import Request, Settings, error_of, moment_text, pause_before_retry, request

ModelT = TypeVar("ModelT", bound=models.Model)
ERROR_STATUS = 400


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

    def user(self, user_id: str) -> User:
        """Return the memory of one user: nothing that it does can be about another."""
        return User(self, user_id)

    def agent(self, agent_id: str) -> Agent:
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
            "as_of": moment_text(as_of),
            "explain": explain,
        }
        return self.call(request("POST", "search", body=body), models.SearchResults)

    def usage(self, *, since: str | None = None, until: str | None = None) -> models.Usage:
        """Return tokens, calls and dollars by day, function and model; days are written 2026-11-30."""
        query = {"from": since, "to": until}
        return self.call(request("GET", "usage", query=query), models.Usage)

    def get_settings(self, *, version: int | None = None) -> models.Settings:
        """Return what the tenant has set for its memory, in force or as an earlier version."""
        return self.call(request("GET", "settings", query={"version": version}), models.Settings)

    def change_settings(
        self, settings: Mapping[str, Any], *, expected_version: int | None = None
    ) -> models.Settings:
        """Replace the tenant's settings; ConflictError where they are not at the expected version."""
        body = {**settings, "expected_version": expected_version}
        return self.call(request("PUT", "settings", body=body), models.Settings)

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
            if "job_id" in page:
                raise RestoreInProgressError(models.Job.model_validate(page))
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
