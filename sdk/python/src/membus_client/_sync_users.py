"""Events, and the memory of one user. Made by `make_sync.py`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from membus_client import _models as models
from membus_client._errors import EventsRejectedError, MembusError, NotFoundError, WaitTimeoutError
from membus_client._transport import POLL_SECONDS, WAIT_SECONDS, Event, message, moment_text, request

if TYPE_CHECKING:
    from membus_client._sync import Membus


class Events:
    """What users did."""

    def __init__(self, client: "Membus") -> None:
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

    def __init__(self, client: "Membus", user_id: str) -> None:
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
        asked = request("GET", "users", self.user_id, "profile", query={"as_of": moment_text(as_of)})
        return self._client.call(asked, models.Profile)

    def search(self, query: str, **options: Any) -> models.SearchResults:
        return self._client.search(query, user_id=self.user_id, **options)

    def purge_event(self, event_id: str) -> models.Job:
        """Have an event's words leave every store, for good; return the job to wait for."""
        asked = request("DELETE", "users", self.user_id, "events", event_id, query={"purge": True})
        return self._client.call(asked, models.Job)

    def preview_purge_of_event(self, event_id: str) -> models.PurgePreview:
        """Return what a purge of an event would take; nothing is changed."""
        query = {"purge": True, "dry_run": True}
        asked = request("DELETE", "users", self.user_id, "events", event_id, query=query)
        return self._client.call(asked, models.PurgePreview)

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

    def __init__(self, client: "Membus", user_id: str) -> None:
        self._client, self._path = client, ("users", user_id, "facts")

    def list(
        self,
        *,
        kind: str | None = None,
        as_of: datetime | str | None = None,
        known_at: datetime | str | None = None,
    ) -> Iterator[models.Fact]:
        """Return all facts, those of one kind, or those that were true, or known, at a moment."""
        query = {"kind": kind, "as_of": moment_text(as_of), "known_at": moment_text(known_at)}
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

    def purge(self, key: str) -> models.Job:
        """Have all that a fact rests on leave every store, for good; return the job to wait for."""
        asked = request("DELETE", *self._path, key, query={"purge": True})
        return self._client.call(asked, models.Job)

    def preview_purge(self, key: str) -> models.PurgePreview:
        """Return what a purge of a fact would take; nothing is changed."""
        asked = request("DELETE", *self._path, key, query={"purge": True, "dry_run": True})
        return self._client.call(asked, models.PurgePreview)


class Review:
    """What was read about one user and not believed."""

    def __init__(self, client: "Membus", user_id: str) -> None:
        self._client, self._path = client, ("users", user_id, "quarantine")

    def list(self) -> Iterator[models.ReviewItem]:
        return self._client.pages(request("GET", *self._path), models.ReviewItem)

    def approve(self, quarantine_id: str) -> models.Fact:
        """Believe it: it becomes a fact set by hand."""
        return self._client.call(request("POST", *self._path, f"{quarantine_id}:approve"), models.Fact)

    def reject(self, quarantine_id: str) -> None:
        """Do not believe it, now or when it is read again."""
        self._client.send(request("POST", *self._path, f"{quarantine_id}:reject"))
