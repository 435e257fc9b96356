"""`gaps --tenant …`.

How long users leave a conversation before they go on, and which lifetime of the hot tier fits.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import get_args

from membus.conversations.conversation import ConversationStatus, Message
from membus.conversations.ports import ConversationStore
from scripts.output import Output, Row
from scripts.target import AddGroup, Target

LIFETIMES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 4 * 60, 24 * 60, 7 * 24 * 60))
ENOUGH = 0.9
"""Of the resumptions; beyond it each further hour in memory serves few."""
PAGE = 200


def find_gaps(messages: Iterable[Message]) -> Iterator[timedelta]:
    """Yield how long each message of the user came after the one before it."""
    for before, after in pairwise(sorted(messages, key=lambda message: message.created_at)):
        if after.role == "user":
            yield after.created_at - before.created_at


def report(gaps: Sequence[timedelta]) -> list[Row]:
    """Return one row for each lifetime.

    The resumptions it serves, and the minutes it holds a window for each.
    """
    rows: list[Row] = []
    served_before = 0
    for lifetime in LIFETIMES:
        served = sum(gap <= lifetime for gap in gaps)
        held = sum((min(gap, lifetime) for gap in gaps), start=timedelta()) / len(gaps)
        rows.append(
            {
                "lifetime": format_seconds(lifetime),
                "gaps": str(served - served_before),
                "served": f"{served / len(gaps):.1%}",
                "minutes_held": f"{held.total_seconds() / 60:.1f}",
                "histogram": "█" * round(40 * (served - served_before) / len(gaps)),
            }
        )
        served_before = served
    return rows


def choose_lifetime(gaps: Sequence[timedelta]) -> timedelta | None:
    """Return the shortest lifetime that serves nine resumptions in ten, None where none does."""
    wanted = ENOUGH * len(gaps)
    return next((lifetime for lifetime in LIFETIMES if sum(gap <= lifetime for gap in gaps) >= wanted), None)


def format_seconds(lifetime: timedelta) -> str:
    minutes = int(lifetime.total_seconds() // 60)
    for size, unit in ((24 * 60, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    gaps = add_group(
        "gaps",
        parents=[options],
        help="pauses in conversations: which lifetime of the hot tier fits",
        examples=["gaps --tenant acme", "gaps --tenant acme --environment prod --json"],
    )
    gaps.add_argument("--tenant", required=True, help="whose conversations are read, all of them")
    gaps.set_defaults(run=_gaps)


def _gaps(arguments: Namespace, target: Target, output: Output) -> None:
    target.get_tenant(arguments.tenant)
    found = [gap for each in _talks(target.conversations, arguments.tenant) for gap in find_gaps(each)]
    output.print_rows(
        report(found) if found else [],
        nothing=f"Nobody of {arguments.tenant} has gone on with a conversation.",
    )
    fits = choose_lifetime(found) if found else None
    if found and not output.as_json:
        output.print_remark(
            f"{format_seconds(fits)} serves nine in ten."
            if fits
            else "No lifetime serves nine in ten: go without."
        )


def _talks(conversations: ConversationStore, tenant: str) -> Iterator[list[Message]]:
    """Yield the messages of each of the tenant's conversations."""
    for status in get_args(ConversationStatus):
        after: dict[str, str] | None = {}
        while after is not None:
            page = conversations.list_conversations(
                tenant, status, user=None, limit=PAGE, after=after or None
            )
            for conversation in page.items:
                yield _messages(conversations, tenant, conversation.conversation_id)
            after = page.after


def _messages(conversations: ConversationStore, tenant: str, conversation_id: str) -> list[Message]:
    messages: list[Message] = []
    after: dict[str, str] | None = {}
    while after is not None:
        page = conversations.list_messages(tenant, conversation_id, limit=PAGE, after=after or None)
        messages += page.items
        after = page.after
    return messages
