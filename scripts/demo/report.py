"""What the demo prints: the events sent, the facts they became, an answer, its prompt, what to try next."""

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from membus.core.tokens import estimate_tokens
from membus.facts.attributes import SINGLE_VALUED
from membus.facts.observation import FactKind
from scripts.demo.api import BATCH_EVENTS, SendReport
from scripts.demo.sources import Event, EventSource, transcript

REJECTIONS_SHOWN = 5
FACTS_SHOWN = 30
CHANGES_SHOWN = 10
FACTS_NAMED = 3
STAND_IN = (
    "The local model server stands in for Claude: what it reads and answers follows simple rules, needs no "
    "key and costs nothing. With ANTHROPIC_API_KEY in .env the same command lets Claude read and answer."
)
CLAUDE = "Claude reads them and answers, with the key in your environment."
KINDS = get_args(FactKind)
"""Facts are shown in this order."""
QUESTIONS = {
    "diet": "What should I cook tonight, and what should I avoid?",
    "likes": "What do I love doing, and what would suit me as a present?",
    "plan": "What are my plans?",
}
QUESTION = "What do you know about me?"
SHORT = (
    "So short a history would still fit whole; it grows with every message, "
    "the prompt only up to its ceiling."
)
READ_KEY = """KEY=$(python3 -c 'import json; print(json.load(open(".local/stack.json"))["api_key"])')"""
CURL = 'curl -s -w "\\n" -H "Authorization: Bearer $KEY"'


def show_opening(console: Console, source: EventSource, api_url: str, *, stand_in: bool) -> None:
    _show_heading(console, "1. What is sent")
    console.print(Text(source.title))
    console.print(Text(f"to {api_url}/v1/events, up to {BATCH_EVENTS} events a request"), style="dim")
    console.print(STAND_IN if stand_in else CLAUDE, style="dim")


def show_send_report(console: Console, sent: SendReport, *, known_before: Sequence[str], dead: int) -> None:
    total = ("total", sent.by_type.total())
    _show_table(console, [(name, f"{count:,}") for name, count in [*sent.by_type.most_common(), total]])
    duplicates = "no duplicates"
    if sent.repeated:
        duplicates = (
            f"{_count(sent.repeated, 'duplicate')} (an event id seen before: accepted, remembered once)"
        )
    console.print(f"{sent.accepted:,} accepted, {len(sent.rejected):,} rejected, {duplicates}")
    for event_id, reason in sent.rejected[:REJECTIONS_SHOWN]:
        console.print(Text(f"  rejected {event_id}: {reason.code}: {reason.detail}"), style="yellow")
    _show_more(console, len(sent.rejected) - REJECTIONS_SHOWN, "more rejected")
    if known_before:
        users = ", ".join(known_before)
        console.print(
            f"Known before this run: {users}. An event that is sent again changes nothing.", style="dim"
        )
    if dead > 0:
        messages = _count(dead, "message")
        console.print(
            f"{messages} could not be processed: see the queue membus-local-extract-dlq.", style="yellow"
        )


def show_facts(console: Console, user: str, facts: Sequence[Any], source: EventSource) -> None:
    _show_heading(console, f"2. What membus knows about {user}, and why")
    if not facts:
        console.print("Nothing yet: no event of this user said or did anything worth keeping.")
        return
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", expand=True)
    table.add_column("fact", overflow="fold", max_width=22, style="cyan")
    table.add_column("value", overflow="fold", ratio=2, style="bold")
    table.add_column("since", no_wrap=True)
    table.add_column("trust", no_wrap=True)
    table.add_column("evidence", overflow="fold", ratio=3)
    for fact in sorted(facts, key=_order)[:FACTS_SHOWN]:
        origin = fact.provenance
        evidence = Text(f"“{origin.quote}” " if origin.quote else "")
        evidence.append(f"{origin.event_id}, by rule" if origin.rule else origin.event_id, style="dim")
        since, trust = fact.valid_from[:10], fact.trust.replace("_", " ")
        table.add_row(Text(_attribute(fact)), Text(fact.value), since, trust, evidence)
    console.print(table)
    _show_more(console, len(facts) - FACTS_SHOWN, "more")
    used = {fact.provenance.event_id for fact in facts}
    own = sum(event["user_id"] == user for event in source.list_events(user))
    console.print(
        f"{len(facts)} facts rest on {len(used)} of {own:,} events; the others are kept as episodes.",
        style="dim",
    )


def show_changes(console: Console, histories: Sequence[Sequence[Any]]) -> None:
    changed = [facts for facts in histories if len({fact.value.casefold() for fact in facts}) > 1]
    if changed:
        console.print("\nWhat changed, and is remembered as history:", style="bold")
    for facts in changed[:CHANGES_SHOWN]:
        values = " → ".join(
            f"{fact.value} ({_day(fact)}, {fact.provenance.event_id})"
            for fact in sorted(facts, key=lambda fact: fact.valid_from)
        )
        console.print(Text("  ").append(facts[0].key, style="cyan").append(f": {values}"))
    _show_more(console, len(changed) - CHANGES_SHOWN, "more")


def show_other_users(console: Console, profiles: Mapping[str, Sequence[Any]], count: int) -> None:
    if count:
        console.print("\nThe other users, each with a memory of their own:", style="bold")
    for user, facts in profiles.items():
        named = [f"{_attribute(fact)} = {fact.value}" for fact in sorted(facts, key=_order)[:FACTS_NAMED]]
        named += ["…"] if len(facts) > FACTS_NAMED else []
        line = Text("  ").append(user, style="cyan").append(f": {_count(len(facts), 'fact')}")
        console.print(
            line.append(f" ({', '.join(named)})" if named else ""), overflow="ellipsis", no_wrap=True
        )
    _show_more(console, count - len(profiles), "more users")


def choose_question(lines: Sequence[str]) -> str:
    """Return a question that the facts of a prompt can answer.

    A line of the prompt is `- key: value (since …)`.
    """
    attributes = {re.split(r"[.:]", line.removeprefix("- "))[0] for line in lines}
    return next((question for attribute, question in QUESTIONS.items() if attribute in attributes), QUESTION)


def show_answer(console: Console, user: str, question: str, answer: str, *, stand_in: bool) -> None:
    _show_heading(console, "3. An answer that uses it")
    for speaker, style, text in ((user, "cyan", question), ("membus", "green", answer)):
        console.print(Text(f"{speaker}: ", style=style).append(text, style="default"))
    if stand_in:
        console.print(
            "The stand-in's words: it repeats the facts that share most words with the question.", style="dim"
        )


def show_sections(console: Console, context: Any, usage: Any) -> None:
    """Show the prompt by section; `usage` are the tokens as the model's provider counted them."""
    _show_heading(console, "4. The prompt behind it, by section")
    total, sections = context.total_tokens, context.sections
    _show_table(
        console,
        [("section", "tokens (estimated)", "")]
        + [(each.name, f"{each.tokens:,}", _bar(each.tokens, total)) for each in sections]
        + [("total", f"{total:,}", "")],
    )
    counted = usage.input + (usage.cache_read or 0) + (usage.cache_write or 0)
    console.print(
        f"The ceiling is {context.budget:,}, however long the history. The model's own count: {counted:,}.",
        style="dim",
    )


def show_comparison(console: Console, context: Any, events: Sequence[Event], *, known: int) -> None:
    _show_heading(console, "5. What that saves")
    prompt, history = context.total_tokens, estimate_tokens(transcript(events))
    rows = (("this prompt", prompt), ("the full history as text", history))
    _show_table(console, [(name, f"{tokens:,}", _bar(tokens, max(prompt, history))) for name, tokens in rows])
    saved = f"{history / prompt:.1f} times fewer tokens than sending the history with every question."
    console.print(saved if history > prompt else SHORT, style="bold")
    console.print(
        "Both are estimates by the same code (membus.core.tokens): of the history the messages alone, of "
        f"the prompt everything in it. It carries {len(context.facts)} of {_count(known, 'fact')}, not "
        "every word that was said.",
        style="dim",
    )


def show_next_steps(console: Console, api_url: str, user: str) -> None:
    _show_heading(console, "6. What to try next")
    event = f'{{"user_id": "{user}", "type": "message.sent", "payload": {{"text": "I live in Oslo now."}}}}'
    profile = shlex.quote(f"{api_url}/v1/users/{user}/profile")
    for purpose, *commands in (
        ("Take the key that `make up` made, and read the profile yourself", READ_KEY, f"{CURL} {profile}"),
        (
            "Tell it something new, then read the profile again",
            f"""{CURL} -d '{{"events": [{event}]}}' {api_url}/v1/events""",
        ),
        (
            "Send your own events, one JSON object a line (or a LoCoMo or BEAM file)",
            "make demo INPUT=your-events.jsonl",
        ),
        ("See what runs, and stop it", "make status", "make down"),
    ):
        console.print(Text(f"{purpose}:", style="dim"))
        for command in commands:
            console.print(Text(f"  {command}", style="cyan"), soft_wrap=True)


def _show_heading(console: Console, title: str) -> None:
    console.print()
    console.rule(Text(title, style="bold"), align="left", style="dim")


def _show_table(console: Console, rows: Sequence[Sequence[str | ProgressBar]]) -> None:
    """Print rows of a name, a number and perhaps a bar."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for row in rows:
        style = "bold" if row[0] == "total" else "dim" if row[0] == "section" else ""
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row), style=style)
    console.print(table)


def _show_more(console: Console, count: int, what: str) -> None:
    if count > 0:
        console.print(f"  … and {count:,} {what}", style="dim")


def _bar(part: int, whole: int) -> ProgressBar:
    return ProgressBar(
        max(whole, 1), part, 40, complete_style="cyan", finished_style="cyan", style="bright_black"
    )


def _order(fact: Any) -> tuple[int, str]:
    return (KINDS.index(fact.kind) if fact.kind in KINDS else len(KINDS)), fact.key


def _day(fact: Any) -> str:
    return f"{datetime.fromisoformat(fact.valid_from):%d %b %Y}"


def _attribute(fact: Any) -> str:
    """Return the key without the value in it: `likes` for `likes.thai-food`."""
    is_single = fact.key in SINGLE_VALUED or fact.key.startswith("setting.")
    return str(fact.key if is_single else fact.key.rpartition(".")[0])


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
