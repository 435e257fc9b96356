"""Erasing one user among a thousand.

Seconds, requests, units and bytes, over the real adapters and an emulator here.

`make bench-erase EPISODES=1000000`; without a number 20,000. One episode in fifty is hot, the rest lies in
objects of one agent and month. Times are of this process with the emulator in it, requests, units and bytes
are AWS' own; the rows of the search index are not part of it (`tests/contract/search` erases those).
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console

from membus.core.event import Event, RecordedEvent
from membus.core.identity import Owner
from membus.episodes.archive.model import EpisodeRow, pack_rows
from membus.episodes.dynamodb import recording_writes
from membus.episodes.model import place_of
from membus.erasure import sqs
from tests.benchmarks.dynamo_units import DOLLARS_PER_READ, DOLLARS_PER_WRITE, WRITES, Work
from tests.benchmarks.table import Table, show
from tests.factories import ADA, NOON
from tests.support.canaries import known, talked, written
from tests.support.erasure import ErasureSetup, make_erasure_setup

EPISODES, USERS, AGENTS, MONTHS, HOT = 20_000, 1_000, 10, 12, 50
FIRST = NOON - timedelta(days=30 * MONTHS)
TEXT = (
    "I moved to the flat by the river and found work as a nurse on the night shift, please remind me to call."
)


@dataclass
class Asked:
    """What an erasure asked of AWS."""

    requests: Counter[str] = field(default_factory=Counter)
    work: Work = field(default_factory=Work)
    bytes_read: int = 0
    bytes_written: int = 0


def measure(episodes: int = EPISODES) -> Table:
    sqs.WAIT_SECONDS = 0
    with make_erasure_setup() as made:
        objects = _fill(made, episodes)
        began = time.perf_counter()
        with _counted(made) as asked:
            job = made.erase(ADA)
        took = time.perf_counter() - began
    dollars = asked.work.writes * DOLLARS_PER_WRITE + asked.work.reads * DOLLARS_PER_READ
    said = ", ".join(f"{count:,} {name}" for name, count in asked.requests.most_common())
    return Table(
        f"Erasing one user of {USERS:,} in {episodes:,} episodes, {objects} objects",
        ("figure", "value"),
        [
            ("seconds of work, three rounds (the 18 minutes between them apart)", f"{took:,.0f}"),
            ("removed", ", ".join(f"{name} {count:,}" for name, count in job.removed.items() if count)),
            ("left, asked anew", str(sum(job.receipt.left.values()) if job.receipt else "not proven")),
            ("requests", f"{sum(asked.requests.values()):,}: {said}"),
            ("DynamoDB write units, read units", f"{asked.work.writes:,.0f}, {asked.work.reads:,.0f}"),
            ("DynamoDB dollars", f"{dollars:.4f}"),
            ("bytes read from objects", f"{asked.bytes_read:,}"),
            ("bytes written to objects", f"{asked.bytes_written:,}"),
        ],
    )


def _fill(made: ErasureSetup, episodes: int) -> int:
    """Leave a thousand users' episodes, and all else of one of them; return how many objects there are."""
    hot, each = episodes // HOT, (episodes - episodes // HOT) // (AGENTS * MONTHS)
    number = 0
    for agent in range(AGENTS):
        for month in range(MONTHS):
            rows = [_row(agent, month, number + index) for index in range(each)]
            number += each
            day = (FIRST + timedelta(days=30 * month)).date()
            kept = made.tiers.archiver.objects.put_pack(
                pack_rows("acme", f"agent{agent}", day, rows, hot_until=FIRST)
            )
            made.tiers.archiver.catalog.add_object(kept)
    with made.memory.batch_writer() as batch:
        for index in range(hot):
            recorded = _event(index % AGENTS, NOON + timedelta(seconds=index), number + index)
            for write in recording_writes(recorded, extracted="1"):
                batch.put_item(Item=write["Put"]["Item"])
    for part in (known, written, talked):
        part(made, ADA)
    return AGENTS * MONTHS


def _row(agent: int, month: int, number: int) -> EpisodeRow:
    moment = FIRST + timedelta(days=30 * month, seconds=number % 2_000_000)
    recorded = _event(agent, moment, number)
    return EpisodeRow.from_item(
        place_of(recorded.event), recorded.model_dump_json(by_alias=True, exclude={"extracted"})
    )


def _event(agent: int, moment: datetime, number: int) -> RecordedEvent:
    user = number % USERS
    owner = ADA if user == 0 else Owner(tenant="acme", user=f"user{user}")
    event = Event(
        event_id=f"e{number}",
        tenant_id="acme",
        user_id=owner.user,
        agent_id=f"agent{agent}",
        type="message.sent",
        session_id=f"s{user}-{number // (USERS * 20)}",
        occurred_at=moment,
        payload={"text": f"{number}: {TEXT}"},
    )
    return RecordedEvent(event=event, learned_at=moment)


@contextmanager
def _counted(made: ErasureSetup) -> Iterator[Asked]:
    asked, sent = Asked(), dict[int, Any]()

    def before(model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        asked.requests[model.name] += 1
        sent[id(context)] = params.get("body")
        if model.name == "PutObject":
            asked.bytes_written += _length(params.get("body"))

    def after(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        asked.bytes_read += int(parsed.get("ContentLength", 0)) if model.name == "GetObject" else 0
        if model.service_model.service_name == "dynamodb":
            _count(asked.work, model.name, sent[id(context)], parsed)

    clients = (
        made.memory.meta.client,
        made.talks.meta.client,
        made.s3,
        made.sqs,
        made.tenants.meta.client,
    )
    for client in clients:
        client.meta.events.register("before-call", before, unique_id="erase-sent")
        client.meta.events.register("after-call", after, unique_id="erase-got")
    yield asked
    for client in clients:
        client.meta.events.unregister("before-call", unique_id="erase-sent")
        client.meta.events.unregister("after-call", unique_id="erase-got")


def _length(body: Any) -> int:
    """Return the bytes of a body, which must not be read: it has yet to be sent."""
    return len(body.getbuffer()) if hasattr(body, "getbuffer") else len(body or b"")


def _count(work: Work, operation: str, body: Any, got: dict[str, Any]) -> None:
    """Count units.

    A removed episode takes its two index entries with it, and each key of a batch is read whole.
    """
    sent = json.loads(body)
    if operation == "DeleteItem":
        work.writes += 3 if "#E#" in sent["Key"]["pk"]["S"] else 1
    elif operation == "BatchGetItem":
        ((_, asked),) = sent["RequestItems"].items()
        work.reads += len(asked["Keys"]) * (1.0 if asked.get("ConsistentRead") else 0.5)
    else:
        items = sent.get("TransactItems", [])
        work.writes += sum(2 for each in items if not each.keys() & WRITES.keys())
        written = {"TransactItems": [each for each in items if each.keys() & WRITES.keys()]} if items else {}
        work.count(operation, sent | written, got)


def main() -> None:
    show(measure(int(sys.argv[1]) if len(sys.argv) > 1 else EPISODES), Console(width=140))


if __name__ == "__main__":
    main()
