"""`replay --tenant …`.

Derive facts anew from episodes, hot and cold, at the extractor's version or another model's.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain

from rich.progress import track

from functions.extract.rebuilding import DerivedFacts, FactDifference, compare_facts
from membus import wiring, wiring_operators
from membus.domain.event import EARLIEST, LATEST, RecordedEvent
from membus.domain.identity import Owner
from scripts.command import require_confirmation
from scripts.deployed import adopt_environment, get_setting
from scripts.output import Output, Row
from scripts.rereading import Reextraction
from scripts.target import AddGroup, Target
from scripts.times import parse_moment


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    replay = add_group(
        "replay",
        parents=[options],
        help="derive facts anew from episodes",
        asks=True,
        examples=[
            "replay --tenant acme --user ada --dry-run",
            "replay --tenant acme --ask --environment dev --yes",
        ],
    )
    replay.add_argument("--tenant", required=True)
    replay.add_argument("--user", action="append", metavar="USER", help="only this one (may be repeated)")
    replay.add_argument(
        "--from", dest="start", type=parse_moment, default=EARLIEST, help="only ask about events since then"
    )
    replay.add_argument(
        "--to", dest="end", type=parse_moment, default=LATEST, help="only ask about events before then"
    )
    replay.add_argument("--model", help="whose answers to use (default: the deployed extractor's)")
    replay.add_argument(
        "--ask", action="store_true", help="ask the model about events it was never asked about"
    )
    replay.set_defaults(run=_replay)


def _replay(arguments: Namespace, target: Target, output: Output) -> None:
    target.known(arguments.tenant)
    adopt_environment(target.environment, "extract")
    rereading = Reextraction(
        arguments.model or get_setting("EXTRACT_MODEL_ID"), may_ask=partial(_event_filter, arguments)
    )
    users = arguments.user or wiring_operators.users().of(arguments.tenant)
    if not arguments.dry_run:
        require_confirmation(
            arguments, f"Store what differs of {_list_users(len(users))} of {arguments.tenant}?"
        )
    told: list[Row] = []
    for user in track(users, "users", console=output.progress(), transient=True, disable=output.quiet):
        told += replay(Owner(tenant=arguments.tenant, user=user), rereading, dry_run=arguments.dry_run)
    output.rows(told, nothing=f"{_list_users(len(users))}: nothing differs from what is stored.")


def _list_users(number: int) -> str:
    return "one user" if number == 1 else f"{number} users"


def replay(owner: Owner, rereading: Reextraction, *, dry_run: bool) -> list[Row]:
    """Derive one user's facts anew and store what differs; return one row for each fact that changes."""
    derived = rereading.derive(owner)
    changes = compare_facts(
        wiring.facts().observations(owner), derived.over(wiring.facts().observations(owner))
    )
    if not dry_run:
        wiring.answers().keep(
            owner.tenant,
            derived.answers,
            prompt_version=rereading.instructions.version,
            model=rereading.model_id,
        )
        wiring_operators.fact_rebuild().rebuild(owner, derived.over)
    return rows(owner.user, derived, changes)


def rows(user: str, derived: DerivedFacts, changes: FactDifference) -> list[Row]:
    found: Iterable[tuple[str, str, str, str]] = chain(
        (("added", key, "", value) for key, value in changes.added.items()),
        (("lost", key, value, "") for key, value in changes.lost.items()),
        (("changed", key, before, after) for key, (before, after) in changes.changed.items()),
        (("unread", event_id, "", error.code) for event_id, error in sorted(derived.unread.items())),
    )
    return [
        {"user": user, "what": what, "key": key, "before": was, "after": is_} for what, key, was, is_ in found
    ]


def count_spending(derived: Sequence[DerivedFacts]) -> float:
    """Return the dollars that new answers took, as far as the price list knows their model."""
    return sum(share.dollars or 0.0 for each in derived for share in each.shares.values())


def _event_filter(arguments: Namespace, recorded: RecordedEvent) -> bool:
    asks: bool = arguments.ask
    return asks and arguments.start <= recorded.event.occurred_at < arguments.end
