"""`replay --tenant …`.

Derive facts anew from episodes, hot and cold, at the extractor's version or another model's.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain

from rich.progress import track

from functions.extract.rebuilding import Derived, Difference, difference
from membus import wiring, wiring_operators
from membus.domain.event import EARLIEST, LATEST, Recorded
from membus.domain.identity import Owner
from scripts.command import agreed
from scripts.deployed import become, setting
from scripts.output import Output, Row
from scripts.rereading import Rereading
from scripts.target import AddGroup, Target
from scripts.times import moment


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
        "--from", dest="start", type=moment, default=EARLIEST, help="only ask about events since then"
    )
    replay.add_argument(
        "--to", dest="end", type=moment, default=LATEST, help="only ask about events before then"
    )
    replay.add_argument("--model", help="whose answers to use (default: the deployed extractor's)")
    replay.add_argument(
        "--ask", action="store_true", help="ask the model about events it was never asked about"
    )
    replay.set_defaults(run=_replay)


def _replay(arguments: Namespace, target: Target, output: Output) -> None:
    target.known(arguments.tenant)
    become(target.environment, "extract")
    rereading = Rereading(arguments.model or setting("EXTRACT_MODEL_ID"), may_ask=partial(_wanted, arguments))
    users = arguments.user or wiring_operators.users().of(arguments.tenant)
    if not arguments.dry_run:
        agreed(arguments, f"Store what differs of {_people(len(users))} of {arguments.tenant}?")
    told: list[Row] = []
    for user in track(users, "users", console=output.progress(), transient=True, disable=output.quiet):
        told += replay(Owner(tenant=arguments.tenant, user=user), rereading, dry_run=arguments.dry_run)
    output.rows(told, nothing=f"{_people(len(users))}: nothing differs from what is stored.")


def _people(number: int) -> str:
    return "one user" if number == 1 else f"{number} users"


def replay(owner: Owner, rereading: Rereading, *, dry_run: bool) -> list[Row]:
    """Derive one user's facts anew and store what differs; return one row for each fact that changes."""
    derived = rereading.derive(owner)
    changes = difference(wiring.facts().observations(owner), derived.over(wiring.facts().observations(owner)))
    if not dry_run:
        wiring.answers().keep(
            owner.tenant,
            derived.answers,
            prompt_version=rereading.instructions.version,
            model=rereading.model_id,
        )
        wiring_operators.fact_rebuild().rebuild(owner, derived.over)
    return rows(owner.user, derived, changes)


def rows(user: str, derived: Derived, changes: Difference) -> list[Row]:
    found: Iterable[tuple[str, str, str, str]] = chain(
        (("added", key, "", value) for key, value in changes.added.items()),
        (("lost", key, value, "") for key, value in changes.lost.items()),
        (("changed", key, before, after) for key, (before, after) in changes.changed.items()),
        (("unread", event_id, "", error.code) for event_id, error in sorted(derived.unread.items())),
    )
    return [
        {"user": user, "what": what, "key": key, "before": was, "after": is_} for what, key, was, is_ in found
    ]


def spent(derived: Sequence[Derived]) -> float:
    """Return the dollars that new answers took, as far as the price list knows their model."""
    return sum(share.dollars or 0.0 for each in derived for share in each.shares.values())


def _wanted(arguments: Namespace, recorded: Recorded) -> bool:
    asks: bool = arguments.ask
    return asks and arguments.start <= recorded.event.occurred_at < arguments.end
