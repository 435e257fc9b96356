"""Shows one answer that uses the memory, the prompt behind it, and its size against the whole history."""

import re
from collections.abc import Sequence

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from membus.domain.tokens import estimate_tokens
from scripts.demo.answers import ApiContext, ApiReply, ApiUsage
from scripts.demo.chapters import count_noun, show_heading
from scripts.demo.source import Event, transcript

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
        "Both are estimates by the same code (membus.domain.tokens): of the history the messages alone, of the prompt "
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
