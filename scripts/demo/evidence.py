"""Shows what became of the events.

Each fact with the words and the event it rests on, and what it replaced.
"""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from membus.domain.attributes import SINGLE_VALUED
from scripts.demo.answers import ApiFact
from scripts.demo.chapters import count_noun, show_heading
from scripts.demo.source import EventSource

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
    own = sum(event["user_id"] == user for event in source.of(user))
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
