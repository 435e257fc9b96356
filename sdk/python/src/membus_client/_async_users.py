"""Events, and the memory of one user. `_sync_users.py` is made from this file by `make_sync.py`: change this one."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from membus_client import _models as models
from membus_client._errors import EventsRejectedError, MembusError, NotFoundError, WaitTimeoutError
from membus_client._transport import POLL_SECONDS, WAIT_SECONDS, Event, message, moment_text, request

if TYPE_CHECKING:
    from membus_client._async import AsyncMembus


class AsyncEvents:
    """What users did."""

    def __init__(self, client: "AsyncMembus") -> None:
        self._client = client

    async def send(self, events: Sequence[Event], *, allow_rejected: bool = False) -> models.EventReceipt:
        """Send up to 100 events; raises `EventsRejectedError` where one is rejected, unless that is allowed."""
        asked = request("POST", "events", body={"events": list(events)})
        receipt = await self._client.call(asked, models.EventReceipt)
        if receipt.rejected and not allow_rejected:
            raise EventsRejectedError(receipt)
        return receipt


class AsyncUser:
    """The memory of one user."""

    def __init__(self, client: "AsyncMembus", user_id: str) -> None:
        self._client, self.user_id = client, user_id
        self.facts = AsyncFacts(client, user_id)
        self.review = AsyncReview(client, user_id)

    async def remember(self, text: str, **fields: Any) -> str:
        """Send something that the user said, and return the id of its event."""
        receipt = await self._client.events.send([message(self.user_id, text, **fields)])
        return receipt.accepted[0].event_id

    async def event(self, event_id: str) -> models.EventOutcome:
        """Return what became of an event."""
        asked = request("GET", "users", self.user_id, "events", event_id)
        return await self._client.call(asked, models.EventOutcome)

    async def wait_read(self, event_id: str, *, timeout: float = WAIT_SECONDS) -> models.EventOutcome:
        """Wait until an event has been read, and return what became of it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with suppress(NotFoundError):  # it is still on the bus
                found = await self.event(event_id)
                if found.status != "waiting":
                    return found
            await asyncio.sleep(POLL_SECONDS)
        raise WaitTimeoutError(f"event {event_id} was not read within {timeout:g} seconds")

    async def profile(self, *, as_of: datetime | str | None = None) -> models.Profile:
        """Return what is known about the user, compact; `text` is ready for a prompt."""
        asked = request("GET", "users", self.user_id, "profile", query={"as_of": moment_text(as_of)})
        return await self._client.call(asked, models.Profile)

    async def search(self, query: str, **options: Any) -> models.SearchResults:
        return await self._client.search(query, user_id=self.user_id, **options)

    async def purge_event(self, event_id: str) -> models.Job:
        """Have an event's words leave every store, for good; return the job to wait for."""
        asked = request("DELETE", "users", self.user_id, "events", event_id, query={"purge": True})
        return await self._client.call(asked, models.Job)

    async def preview_purge_of_event(self, event_id: str) -> models.PurgePreview:
        """Return what a purge of an event would take; nothing is changed."""
        query = {"purge": True, "dry_run": True}
        asked = request("DELETE", "users", self.user_id, "events", event_id, query=query)
        return await self._client.call(asked, models.PurgePreview)

    async def erase(self, *, confirm: str) -> models.Job:
        """Erase everything about the user, for good. `confirm` has to be the user's id."""
        if confirm != self.user_id:
            raise MembusError(f"to erase {self.user_id}, pass confirm={self.user_id!r}")
        return await self._client.call(request("POST", "users", f"{self.user_id}:erase"), models.Job)

    async def export(self) -> models.Job:
        """Begin to write all that is known of the user into one archive; wait for it with `jobs.wait`."""
        return await self._client.call(request("POST", "users", f"{self.user_id}:export"), models.Job)


class AsyncFacts:
    """The facts about one user."""

    def __init__(self, client: "AsyncMembus", user_id: str) -> None:
        self._client, self._path = client, ("users", user_id, "facts")

    def list(
        self,
        *,
        kind: str | None = None,
        as_of: datetime | str | None = None,
        known_at: datetime | str | None = None,
    ) -> AsyncIterator[models.Fact]:
        """Return all facts, those of one kind, or those that were true, or known, at a moment."""
        query = {"kind": kind, "as_of": moment_text(as_of), "known_at": moment_text(known_at)}
        return self._client.pages(request("GET", *self._path, query=query), models.Fact)

    async def get(self, key: str, *, explain: bool = False) -> models.ExplainedFact:
        """Return a fact, with `explain` and why it is believed; `NotFoundError` where nothing is known."""
        asked = request("GET", *self._path, key, query={"explain": explain or None})
        return await self._client.call(asked, models.ExplainedFact)

    def history(self, key: str) -> AsyncIterator[models.FactVersion]:
        """Return every version of a fact and what caused it."""
        return self._client.pages(request("GET", *self._path, key, "history"), models.FactVersion)

    async def set(
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
        return await self._client.call(request("PUT", *self._path, key, body=body), models.Fact)

    async def set_many(self, facts: Sequence[Mapping[str, Any]]) -> Sequence[models.FactResult]:
        """Set up to 100 facts, each on its own; a result says of each whether it was set."""
        path = (*self._path[:-1], "facts:batch")
        answer = (await self._client.send(request("POST", *path, body={"facts": list(facts)}))).json()
        return [models.FactResult.model_validate(each) for each in answer["results"]]

    async def delete(self, key: str, *, expected_version: int | None = None) -> None:
        """Take a fact back by hand."""
        await self._client.send(request("DELETE", *self._path, key, if_match=expected_version))

    async def purge(self, key: str) -> models.Job:
        """Have all that a fact rests on leave every store, for good; return the job to wait for."""
        asked = request("DELETE", *self._path, key, query={"purge": True})
        return await self._client.call(asked, models.Job)

    async def preview_purge(self, key: str) -> models.PurgePreview:
        """Return what a purge of a fact would take; nothing is changed."""
        asked = request("DELETE", *self._path, key, query={"purge": True, "dry_run": True})
        return await self._client.call(asked, models.PurgePreview)


class AsyncReview:
    """What was read about one user and not believed."""

    def __init__(self, client: "AsyncMembus", user_id: str) -> None:
        self._client, self._path = client, ("users", user_id, "quarantine")

    def list(self) -> AsyncIterator[models.ReviewItem]:
        return self._client.pages(request("GET", *self._path), models.ReviewItem)

    async def approve(self, quarantine_id: str) -> models.Fact:
        """Believe it: it becomes a fact set by hand."""
        return await self._client.call(request("POST", *self._path, f"{quarantine_id}:approve"), models.Fact)

    async def reject(self, quarantine_id: str) -> None:
        """Do not believe it, now or when it is read again."""
        await self._client.send(request("POST", *self._path, f"{quarantine_id}:reject"))
