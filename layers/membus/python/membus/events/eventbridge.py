"""The bus in EventBridge: PutEvents in batches within its limits, with the answer for each entry."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from membus.core.event import Event, RecordedEvent
from membus.core.retry import RetryPolicy
from membus.events.sizes import EVENT_TOO_LARGE, is_too_large

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef as Entry

    Entries = dict[int, Entry]  # by position among the events

SOURCE, ANNOUNCEMENTS = "membus.events", "membus.announcements"
ENTRIES_MAX = 10
BATCH_BYTES_MAX = 1_000_000
RETRYABLE = {"InternalFailure", "InternalException", "ThrottlingException"}
PUT_RETRY = RetryPolicy(tries=3, pause_seconds=0.2)
"""For the entries that may still succeed."""


class EventBridgeBus:
    """The bus `name`; extract takes only the events of the source SOURCE, not membus' own announcements."""

    def __init__(self, client: "EventBridgeClient", name: str, *, source: str = SOURCE) -> None:
        self._client, self._name, self._source = client, name, source

    def publish_events(self, events: Sequence[Event]) -> dict[int, str]:
        return self._send(events, [self._entry(event) for event in events])

    def republish_events(self, events: Sequence[RecordedEvent]) -> dict[int, str]:
        """EventBridge passes on the time of an entry, without the fraction of its second."""
        entries: list[Entry] = [{**self._entry(each.event), "Time": each.learned_at} for each in events]
        return self._send([each.event for each in events], entries)

    def _send(self, events: Sequence[Event], entries: Sequence["Entry"]) -> dict[int, str]:
        refused = {place: EVENT_TOO_LARGE for place, event in enumerate(events) if is_too_large(event)}
        fitting = {place: entry for place, entry in enumerate(entries) if place not in refused}
        for batch in _batches(fitting):
            refused |= self._put(batch)
        return refused

    def _put(self, batch: "Entries") -> dict[int, str]:
        refused: dict[int, str] = {}
        for tried in count():
            refused |= self._try(batch)
            batch = {place: batch[place] for place in batch if refused.get(place) in RETRYABLE}
            if not batch or not PUT_RETRY.wait(tried):
                break
            refused = {place: code for place, code in refused.items() if place not in batch}
        return refused

    def _try(self, batch: "Entries") -> dict[int, str]:
        try:
            answer = self._client.put_events(Entries=list(batch.values()))
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "Unreachable"
            return dict.fromkeys(batch, code)
        return {
            place: entry["ErrorCode"]
            for place, entry in zip(batch, answer["Entries"], strict=True)
            if entry.get("ErrorCode")
        }

    def _entry(self, event: Event) -> "Entry":
        detail = event.model_dump_json(by_alias=True)
        return {
            "Source": self._source,
            "DetailType": event.type,
            "Detail": detail,
            "EventBusName": self._name,
        }


def _batches(entries: "Entries") -> "Iterator[Entries]":
    batch: Entries = {}
    size = 0
    for place, entry in entries.items():
        weight = len(entry["Detail"].encode()) + 200  # names and frame
        if batch and (len(batch) == ENTRIES_MAX or size + weight > BATCH_BYTES_MAX):
            yield batch
            batch, size = {}, 0
        batch[place] = entry
        size += weight
    if batch:
        yield batch
