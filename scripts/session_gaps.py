"""`gaps`: how long users pause in a conversation, and which lifetime of the conversation cache fits."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import get_args

from membus.conversations.conversation import ConversationStatus, Message
from membus.conversations.ports import ConversationStore
from membus.core.pages import read_items
from scripts.command import TENANT, command
from scripts.output import Output, Row
from scripts.target import Target

LIFETIMES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 4 * 60, 24 * 60, 7 * 24 * 60))
ENOUGH = 0.9
"""Of the resumed conversations; beyond it each further hour in memory covers few."""
PAGE = 200


@command(
    "gaps",
    "pauses in conversations: which lifetime of the conversation cache fits",
    TENANT,
    examples=["gaps --tenant acme", "gaps --tenant acme --environment prod --json"],
    description="Reads all conversations of the tenant.",
)
def report(arguments: Namespace, target: Target, output: Output) -> None:
    tenant = target.get_tenant(arguments.tenant).tenant_id
    found = [
        gap for messages in _list_conversations(target.conversations, tenant) for gap in find_gaps(messages)
    ]
    rows = measure_lifetimes(found) if found else []
    output.print_rows(rows, nothing=f"No user of {tenant} has resumed a conversation.")
    if found and not output.as_json:
        fits = choose_lifetime(found)
        output.print_remark(
            f"A cache lifetime of {format_lifetime(fits)} covers nine of ten resumed conversations."
            if fits
            else "No cache lifetime covers nine of ten resumed conversations: do without the cache."
        )


def find_gaps(messages: Iterable[Message]) -> Iterator[timedelta]:
    """Yield how long each message of the user came after the one before it."""
    for before, after in pairwise(sorted(messages, key=lambda message: message.created_at)):
        if after.role == "user":
            yield after.created_at - before.created_at


def measure_lifetimes(gaps: Sequence[timedelta]) -> list[Row]:
    """Return for each lifetime the gaps it covers, and the minutes it keeps a window for each gap."""
    rows: list[Row] = []
    covered_before = 0
    for lifetime in LIFETIMES:
        covered = sum(gap <= lifetime for gap in gaps)
        kept = sum((min(gap, lifetime) for gap in gaps), start=timedelta()) / len(gaps)
        rows.append(
            {
                "lifetime": format_lifetime(lifetime),
                "gaps": str(covered - covered_before),
                "served": f"{covered / len(gaps):.1%}",
                "minutes_held": f"{kept.total_seconds() / 60:.1f}",
                "histogram": "█" * round(40 * (covered - covered_before) / len(gaps)),
            }
        )
        covered_before = covered
    return rows


def choose_lifetime(gaps: Sequence[timedelta]) -> timedelta | None:
    """Return the shortest lifetime that covers nine gaps in ten, None if no lifetime does."""
    wanted = ENOUGH * len(gaps)
    return next((lifetime for lifetime in LIFETIMES if sum(gap <= lifetime for gap in gaps) >= wanted), None)


def format_lifetime(lifetime: timedelta) -> str:
    minutes = int(lifetime.total_seconds() // 60)
    for size, unit in ((24 * 60, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def _list_conversations(store: ConversationStore, tenant: str) -> Iterator[list[Message]]:
    """Yield the messages of each of the tenant's conversations."""
    for status in get_args(ConversationStatus):
        read_conversations = partial(store.list_conversations, tenant, status, user=None, limit=PAGE)
        for each in read_items(read_conversations):
            yield list(read_items(partial(store.list_messages, tenant, each.conversation_id, limit=PAGE)))
