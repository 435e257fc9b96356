"""The demo's frame: what was sent at its beginning, what to try next at its end.

Shows what became of the events.

Each fact with the words and the event it rests on, and what it replaced.

Shows one answer that uses the memory, the prompt behind it, and its size against the whole history.
"""

import re
import shlex
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from membus.core.tokens import estimate_tokens
from membus.facts.attributes import SINGLE_VALUED
from scripts.demo.api import BATCH_EVENTS, ApiContext, ApiFact, ApiReply, ApiUsage, SendReport
from scripts.demo.sources import Event, EventSource, transcript

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
    table.add_row(Text("total", style="bold"), Text(f"{sent.total_events:,}", style="bold"))
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


FACTS_SHOWN = 30
CHANGES_SHOWN = 10
NAMED = 3
KINDS = (
    "identity",
    "place",
    "work",
    "relationship",
    "health",
    "preference",
    "possession",
    "plan",
    "goal",
    "experience",
    "behaviour",
    "setting",
)


def show_facts(console: Console, user: str, facts: Sequence[ApiFact], source: EventSource) -> None:
    show_heading(console, 2, f"What membus knows about {user}, and why")
    if not facts:
        console.print("Nothing yet: no event of theirs said or did anything worth keeping.")
        return
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", expand=True)
    table.add_column("fact", overflow="fold", max_width=22)
    table.add_column("value", overflow="fold", ratio=2)
    table.add_column("since", no_wrap=True)
    table.add_column("trust", no_wrap=True)
    table.add_column("evidence", overflow="fold", ratio=3)
    for fact in sorted(facts, key=_order)[:FACTS_SHOWN]:
        table.add_row(*_row(fact))
    console.print(table)
    if len(facts) > FACTS_SHOWN:
        console.print(f"… and {len(facts) - FACTS_SHOWN} more", style="dim")
    used = {fact.provenance.event_id for fact in facts}
    own = sum(event["user_id"] == user for event in source.list_events(user))
    console.print(
        f"{len(facts)} facts rest on {len(used)} of {own:,} events; the others are kept as episodes.",
        style="dim",
    )


def _order(fact: ApiFact) -> tuple[int, str]:
    return (KINDS.index(fact.kind) if fact.kind in KINDS else len(KINDS)), fact.key


def _row(fact: ApiFact) -> tuple[Text, ...]:
    why = fact.provenance
    quote = Text(f"“{why.quote}” " if why.quote else "")
    quote.append(f"{why.event_id}, by rule" if why.rule else why.event_id, style="dim")
    return (
        Text(_attribute(fact), style="cyan"),
        Text(fact.value, style="bold"),
        Text(f"{fact.valid_from:%Y-%m-%d}"),
        Text(fact.trust.replace("_", " ")),
        quote,
    )


def _attribute(fact: ApiFact) -> str:
    """Return the key without the value in it: `likes` for `likes.thai-food`."""
    single = fact.key in SINGLE_VALUED or fact.key.startswith("setting.")
    return fact.key if single else fact.key.rpartition(".")[0]


def show_changes(console: Console, histories: Sequence[Sequence[ApiFact]]) -> None:
    changed = [told for told in histories if len({version.value.casefold() for version in told}) > 1]
    if not changed:
        return
    console.print("\nWhat changed, and is remembered as history:", style="bold")
    for versions in changed[:CHANGES_SHOWN]:
        ordered = sorted(versions, key=lambda version: version.valid_from)
        line = Text("  ").append(ordered[0].key, style="cyan").append(": ")
        line.append(
            " → ".join(
                f"{version.value} ({version.valid_from:%d %b %Y}, {version.provenance.event_id})"
                for version in ordered
            )
        )
        console.print(line)
    if len(changed) > CHANGES_SHOWN:
        console.print(f"  … and {len(changed) - CHANGES_SHOWN} more", style="dim")


def show_other_users(console: Console, facts_by_user: Mapping[str, Sequence[ApiFact]], count: int) -> None:
    if not count:
        return
    console.print("\nThe other users, each with a memory of their own:", style="bold")
    for user, known in facts_by_user.items():
        named = ", ".join(f"{_attribute(fact)} = {fact.value}" for fact in sorted(known, key=_order)[:NAMED])
        line = Text("  ").append(user, style="cyan").append(f": {count_noun(len(known), 'fact')}")
        console.print(
            line.append(f" ({named}{', …' if len(known) > NAMED else ''})" if named else ""),
            overflow="ellipsis",
            no_wrap=True,
        )
    if count > len(facts_by_user):
        console.print(f"  … and {count - len(facts_by_user)} more users", style="dim")


QUESTIONS = {
    "diet": "What should I cook tonight, and what should I avoid?",
    "likes": "What do I love doing, and what would suit me as a present?",
    "plan": "What are my plans?",
}
QUESTION = "What do you know about me?"


def choose_question(lines: Sequence[str]) -> str:
    """Return a question that the facts in the prompt can answer; each of their lines is `- key.

    Value (since …)`.
    """
    attributes = {re.split(r"[.:]", line.removeprefix("- "))[0] for line in lines}
    return next((question for attribute, question in QUESTIONS.items() if attribute in attributes), QUESTION)


def show_answer(console: Console, user: str, question: str, reply: ApiReply, *, stand_in: bool) -> None:
    show_heading(console, 3, "An answer that uses it")
    console.print(Text(f"{user}: ", style="cyan").append(question, style="default"))
    console.print(Text("membus: ", style="green").append(reply.message.content, style="default"))
    if stand_in:
        console.print(
            "The stand-in's words: it repeats the facts that share most words with the question.", style="dim"
        )


def show_sections(console: Console, context: ApiContext, usage: ApiUsage) -> None:
    show_heading(console, 4, "The prompt behind it, by section")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("section")
    table.add_column("tokens (estimated)", justify="right")
    table.add_column("")
    for section in context.sections:
        table.add_row(Text(section.name), f"{section.tokens:,}", _bar(section.tokens, context.total_tokens))
    table.add_row(Text("total", style="bold"), Text(f"{context.total_tokens:,}", style="bold"), "")
    console.print(table)
    console.print(
        f"The ceiling is {context.budget:,}, however long the history. The model's own count: {usage.sent:,}.",
        style="dim",
    )


def show_comparison(console: Console, context: ApiContext, events: Sequence[Event], *, known: int) -> None:
    show_heading(console, 5, "What that saves")
    whole = estimate_tokens(transcript(events))
    most = max(whole, context.total_tokens)
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for name, tokens in (("this prompt", context.total_tokens), ("the full history as text", whole)):
        table.add_row(name, f"{tokens:,}", _bar(tokens, most))
    console.print(table)
    console.print(_verdict(whole, context.total_tokens), style="bold")
    console.print(
        "Both are estimates by the same code (membus.core.tokens): of the history the messages alone, of the prompt "
        f"everything in it. It carries {len(context.facts)} of {count_noun(known, 'fact')}, not every word that was said.",
        style="dim",
    )


def _verdict(whole: int, prompt: int) -> str:
    if whole <= prompt:
        return "So short a history would still fit whole; it grows with every message, the prompt only up to its ceiling."
    return f"{whole / prompt:.1f} times fewer tokens than sending the history with every question."


def _bar(part: int, whole: int) -> ProgressBar:
    return ProgressBar(
        total=max(whole, 1),
        completed=part,
        width=40,
        complete_style="cyan",
        finished_style="cyan",
        style="bright_black",
    )
