"""Streams of events as a hostile queue delivers them, and all that the stores hold afterwards, as bytes."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from membus.conversations.conversation import Turn
from membus.core.event import Event
from scripts.reextraction.signals import InMemorySignals
from tests.factories import a_turn
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.crashing import Death
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.facts import InMemoryFacts
from tests.fakes.review_queue import InMemoryReviewQueue
from tests.support.extraction import Extraction, a_message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from functions.extract.schemas import QueueMessage

ROUNDS_MAX = 400
INCIDENTAL = {"took", "unarchived", "revision"}
"""Attributes that depend on the batch an event was read in, on a shard of the archive's index, or on earlier writes."""


@dataclass(frozen=True)
class DeliveryFaults:
    """How the queue behaves.

    Each event comes `at_least` to `copies` times, in an order and batches from `seed`.
    """

    copies: int = 1
    at_least: int = 1
    seed: int | None = None
    batch_max: int = 10

    def deliveries(self, events: Iterable[Event]) -> list["QueueMessage"]:
        drawn = random.Random(self.seed)  # noqa: S311 (a test draws its weather)
        many = [event for event in events for _ in range(drawn.randint(self.at_least, self.copies))]
        if self.seed is not None:
            drawn.shuffle(many)
        return [a_message(event, f"m{number}") for number, event in enumerate(many)]

    def sizes(self) -> random.Random:
        return random.Random(self.seed)  # noqa: S311 (as above)


NO_FAULTS = DeliveryFaults(batch_max=1)


def deliver(extraction: Extraction, events: Iterable[Event], weather: DeliveryFaults = NO_FAULTS) -> None:
    """Deliver until the queue is empty.

    What failed, or died with its batch, comes again behind all others.
    """
    waiting, sizes = weather.deliveries(events), weather.sizes()
    for _ in range(ROUNDS_MAX + len(waiting)):
        if not waiting:
            return
        size = sizes.randint(1, weather.batch_max)
        batch, waiting = waiting[:size], waiting[size:]
        try:
            failed = set(extraction.deliver(*batch))
        except Death:
            failed = {message.message_id for message in batch}
        waiting += [_again(message) for message in batch if message.message_id in failed]
    raise AssertionError("the queue never empties")


def a_turn_of_chat(tenant: str, number: int, words: str, **told: Any) -> tuple[Turn, Event]:
    """Return a turn and the event that tells of it."""
    turn = a_turn(number, content=words)
    event = Event.model_validate(
        {
            "event_id": turn.event_id,
            "tenant_id": tenant,
            "user_id": turn.user.author,
            "type": "turn.recorded",
            "occurred_at": turn.user.created_at,
            "origin": "chat",
            "payload": {"user": {"text": words}},
        }
        | told
    )
    return turn, event


def stored_in_memory(extraction: Extraction, conversations: InMemoryConversations) -> bytes:
    """Return all that in-memory stores hold, but for how many writes it took and what they cost."""
    facts, episodes, signals = extraction.facts, extraction.episodes, extraction.signals
    assert isinstance(facts, InMemoryFacts)
    assert isinstance(episodes, InMemoryEpisodes)
    assert isinstance(signals, InMemorySignals)
    assert isinstance(extraction.review_queue, InMemoryReviewQueue)
    return _bytes(
        {
            "profiles": {owner: profile.facts for owner, profile in facts._profiles.items()},
            "facts": facts._facts,
            "observations": facts._seen,
            "identities": episodes.extracted,
            "episodes": episodes.contents,
            "signals": signals._marks,
            "held": extraction.review_queue._held,
            "fresh": conversations.fresh,
            "parked": extraction.poison_messages.parked,
        }
    )


def stored_in_tables(tables: Sequence["Table"], tenant: str) -> bytes:
    """Return every item of a tenant, but for how many writes it took and what they cost.

    The tenant has no name.
    """
    found: list[dict[str, Any]] = []
    for table in tables:
        pages = table.meta.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
        found += [
            item for page in pages for item in page["Items"] if str(item["pk"]).startswith(f"T#{tenant}#")
        ]
    told = [_uncounted(item) for item in found]
    return _bytes(sorted(told, key=lambda item: (item["pk"], item["sk"]))).replace(tenant.encode(), b"tenant")


def _uncounted(item: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in item.items() if name not in INCIDENTAL}
    if "spilled" in kept:  # its folder is a hash over the tenant, which has no name here
        kept["spilled"] = str(kept["spilled"]).rsplit("/", 1)[1]
    if item["sk"] != "PROFILE":
        return kept
    body = json.loads(str(item["body"]))
    return kept | {"version": None, "body": body | {"version": None}}


def _again(message: "QueueMessage") -> "QueueMessage":
    return message.model_copy(update={"attributes": {"ApproximateReceiveCount": message.receive_count + 1}})


def _bytes(held: Any) -> bytes:
    return json.dumps(_plain(held), sort_keys=True, default=str, ensure_ascii=False).encode()


def _plain(held: Any) -> Any:
    """Return dictionaries with text for keys, without the empty ones that a mere look leaves behind."""
    if isinstance(held, Mapping):
        return {str(key): _plain(value) for key, value in held.items() if value not in ({}, [], ())}
    if isinstance(held, list | tuple):
        return [_plain(each) for each in held]
    return held.model_dump_json() if hasattr(held, "model_dump_json") else held
