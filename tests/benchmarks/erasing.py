"""Erasing one user among a thousand: seconds, requests, units and bytes over the real adapters.

`make bench-erase EPISODES=1000000`; without a number 20,000. One episode in fifty is hot; the others are in
objects of one agent and month. Times are of one process with the emulator in it; requests, units and bytes
are AWS' own. The search index is not part of it (`tests/contract/search` erases its rows).
"""

import sys
import time
from datetime import datetime, timedelta

from rich.console import Console

from membus.core.event import Event, RecordedEvent
from membus.core.identity import Owner
from membus.episodes.archive.model import EpisodeRow, pack_rows
from membus.episodes.dynamodb import recording_writes
from membus.episodes.model import place_of
from tests.benchmarks.aws_calls import count_calls
from tests.benchmarks.table import Table, show
from tests.factories import ADA, NOON
from tests.support.canaries import known, talked, written
from tests.support.erasure import ErasureSetup, make_erasure_setup

EPISODES, USERS, AGENTS, MONTHS, HOT = 20_000, 1_000, 10, 12, 50
FIRST = NOON - timedelta(days=30 * MONTHS)
TEXT = (
    "I moved to the flat by the river and found work as a nurse on the night shift, please remind me to call."
)


def measure(episodes: int = EPISODES) -> Table:
    with make_erasure_setup() as made:
        objects = _fill(made, episodes)
        began = time.perf_counter()
        with count_calls(
            made.memory.meta.client,
            made.talks.meta.client,
            made.s3,
            made.sqs,
            made.tenants.meta.client,
        ) as calls:
            job = made.erase(ADA)
        took = time.perf_counter() - began
    return Table(
        f"Erasing one user of {USERS:,} in {episodes:,} episodes, {objects} objects",
        ("figure", "value"),
        [
            ("seconds of work in three rounds, without the 18 minutes between them", f"{took:,.0f}"),
            ("removed", ", ".join(f"{name} {count:,}" for name, count in job.removed.items() if count)),
            ("left, by the receipt", str(sum(job.receipt.left.values()) if job.receipt else "not proven")),
            ("requests", f"{calls.requests.total():,}: {calls}"),
            ("DynamoDB write units, read units", f"{calls.writes:,.0f}, {calls.reads:,.0f}"),
            ("DynamoDB dollars", f"{calls.dollars:.4f}"),
            ("bytes read from objects", f"{calls.bytes_read:,}"),
            ("bytes written to objects", f"{calls.bytes_written:,}"),
        ],
    )


def _fill(made: ErasureSetup, episodes: int) -> int:
    """Store a thousand users' episodes, and all other data of one; return the number of objects."""
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


def main() -> None:
    show(measure(int(sys.argv[1]) if len(sys.argv) > 1 else EPISODES), Console(width=140))


if __name__ == "__main__":
    main()
