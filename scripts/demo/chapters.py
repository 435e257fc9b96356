"""The demo's frame: what was sent at its beginning, what to try next at its end."""

import shlex
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.demo.feed import BATCH_EVENTS, SendReport
from scripts.demo.source import EventSource

REFUSALS_SHOWN = 5
STAND_IN = (
    "The local model server stands in for Claude: what it reads and answers follows simple rules, needs no key and "
    "costs nothing. With ANTHROPIC_API_KEY in .env the same command lets Claude read and answer."
)


def show_heading(console: Console, number: int, title: str) -> None:
    console.print()
    console.rule(Text(f"{number}. {title}", style="bold"), align="left", style="dim")


def count_noun(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def show_opening(console: Console, source: EventSource, api_url: str, *, stand_in: bool) -> None:
    show_heading(console, 1, "What is sent")
    console.print(Text(source.title))
    console.print(Text(f"to {api_url}/v1/events, up to {BATCH_EVENTS} events a request"), style="dim")
    console.print(
        STAND_IN if stand_in else "Claude reads them and answers, with the key in your environment.",
        style="dim",
    )


def show_send_report(console: Console, sent: SendReport) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for event_type, count in sent.by_type.most_common():
        table.add_row(Text(event_type), f"{count:,}")
    table.add_row(Text("total", style="bold"), Text(f"{sent.total:,}", style="bold"))
    console.print(table)
    console.print(
        f"{sent.accepted:,} accepted, {len(sent.rejected):,} rejected, {_duplicates(sent.repeated)}"
    )
    _refusals(console, sent)


def _duplicates(count: int) -> str:
    if not count:
        return "no duplicates"
    return f"{count_noun(count, 'duplicate')} (an event id seen before: taken at the door, remembered once)"


def _refusals(console: Console, sent: SendReport) -> None:
    for event_id, refusal in sent.rejected[:REFUSALS_SHOWN]:
        console.print(Text(f"  rejected {event_id}: {refusal.code}: {refusal.detail}", style="yellow"))
    if len(sent.rejected) > REFUSALS_SHOWN:
        console.print(f"  … and {len(sent.rejected) - REFUSALS_SHOWN:,} more rejected", style="yellow")


def show_aftermath(console: Console, *, known_before: Sequence[str], dead: int) -> None:
    if known_before:
        console.print(
            f"Known before this run: {', '.join(known_before)}. An event that is sent again changes nothing.",
            style="dim",
        )
    if dead > 0:
        console.print(
            f"{count_noun(dead, 'message')} could not be processed: see the queue membus-local-extract-dlq.",
            style="yellow",
        )


def show_next_steps(console: Console, api_url: str, user: str) -> None:
    show_heading(console, 6, "What to try next")
    key = """KEY=$(python3 -c 'import json; print(json.load(open(".local/stack.json"))["api_key"])')"""
    said = f'{{"events": [{{"user_id": "{user}", "type": "message.sent", "payload": {{"text": "I live in Oslo now."}}}}]}}'
    steps = {
        "Take the key that `make up` made, and read the profile yourself": (
            key,
            f'curl -s -w "\\n" -H "Authorization: Bearer $KEY" {shlex.quote(f"{api_url}/v1/users/{user}/profile")}',
        ),
        "Tell it something new, then read the profile again": (
            f"""curl -s -w "\\n" -H "Authorization: Bearer $KEY" -d '{said}' {api_url}/v1/events""",
        ),
        "Feed your own events, one JSON object a line (or a LoCoMo or BEAM file)": (
            "make demo INPUT=your-events.jsonl",
        ),
        "See what runs, and stop it": ("make status", "make down"),
    }
    for purpose, commands in steps.items():
        console.print(Text(f"{purpose}:", style="dim"))
        for command in commands:
            console.print(Text(f"  {command}", style="cyan"), soft_wrap=True)
