"""`replay --tenant …`.

Derive facts anew from episodes, hot and cold, at the extractor's version or another model's.

Read users' episodes again, hot and cold, by the extractor's own code: what `replay` and `shadow` share.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from rich.progress import track

from functions.extract.ports import FactPorts
from functions.extract.prompt import CURRENT_INSTRUCTIONS, ExtractionInstructions
from membus.core.clock import EARLIEST, LATEST
from membus.core.errors import InvalidError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.episodes.model import EpisodeQuery
from membus.episodes.ports import EpisodeReader
from membus.erasure.guard import ErasureGuard
from membus.facts.candidates import AnswersByEvent, ReviewItem
from membus.facts.rules import needs_model
from scripts.command import parse_moment, require_confirmation
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.reextraction.derivation import (
    DerivedFacts,
    DraftFacts,
    FactDifference,
    compare_facts,
    derive_facts,
)
from scripts.reextraction.signals import InMemorySignals
from scripts.target import AddGroup, Target, open_container

PAGE = 500
QUESTION_SECONDS = 120
CLOSED = InvalidError("the model is not to be asked about it", code="not_asked")


@dataclass(frozen=True)
class Reextraction:
    """`may_ask` says of which events the model may be asked if nobody has asked it before."""

    container: OperatorContainer
    model_id: str
    instructions: ExtractionInstructions = CURRENT_INSTRUCTIONS
    may_ask: Callable[[RecordedEvent], bool] = lambda _: True

    def derive_facts(self, owner: Owner) -> DerivedFacts:
        """Read a user again; what nobody has asked about and nobody may ask about counts as unread."""
        events = list(self.list_episodes(owner))
        known = self.load_answers(owner, events)
        closed = [each for each in events if self._is_closed(each, known)]
        kept = {each.event.event_id for each in closed}
        left = (each for each in events if each.event.event_id not in kept)
        derived = derive_facts(owner, left, ports_for=self._ports)
        return replace(derived, unread=derived.unread | dict.fromkeys(kept, CLOSED))

    def list_episodes(self, owner: Owner) -> Iterator[RecordedEvent]:
        return list_episodes(owner, self.container.episodes.reader, self.container.erasure.guard)

    def _is_closed(self, recorded: RecordedEvent, known: AnswersByEvent) -> bool:
        return (
            needs_model(recorded.event)
            and recorded.event.event_id not in known
            and not self.may_ask(recorded)
        )

    def load_answers(self, owner: Owner, events: Sequence[RecordedEvent]) -> AnswersByEvent:
        return self.container.facts.answers.get_answers(
            owner.tenant,
            [each.event.event_id for each in events],
            prompt_version=self.instructions.version,
            model=self.model_id,
        )

    def _ports(self, draft: DraftFacts) -> FactPorts:
        return FactPorts(
            facts=draft,
            signals=InMemorySignals(),
            review_queue=_NoReviewQueue(),
            unprocessed=_NoUnprocessedMessages(),
            answers=self.container.facts.answers,
            model=partial(self.container.llm.model_by_id, self.model_id),
            model_id=self.model_id,
            monitor=_NoMonitor(),
            seconds_left=lambda: QUESTION_SECONDS,
            instructions=self.instructions,
        )


def list_episodes(owner: Owner, reader: EpisodeReader, gate: ErasureGuard) -> Iterator[RecordedEvent]:
    """Yield all that a user did, with whatever agent, from both tiers.

    What was erased stays so, wherever it lies.

    Raises:
        UnavailableError: the user is being erased.
    """
    wanted = EpisodeQuery(tenant=owner.tenant, user_id=owner.user, start=EARLIEST, end=LATEST)
    after: dict[str, str] | None = {}
    while after is not None:
        page = reader.list_episodes(wanted, limit=PAGE, after=after or None)
        found = (RecordedEvent(event=each.event, learned_at=each.learned_at) for each in page.items)
        yield from (recorded for recorded in found if gate.accepts_event(recorded))
        after = page.after


class _NoReviewQueue:
    """Doubtful facts were queued when they were first read; reading again decides nothing for a person."""

    def add_items(self, owner: Owner, held: Iterable[ReviewItem]) -> None: ...


class _NoUnprocessedMessages:
    """Messages of events that were read before are marked as processed already."""

    def mark_processed(self, owner: Owner, places: Iterable[str]) -> None: ...


class _NoMonitor:
    """The metrics and logs of extraction are of the function; a command prints rows."""

    def count_metric(self, name: str, value: int = 1) -> None: ...

    def log_info(self, message: str, **fields: object) -> None: ...

    def log_warning(self, message: str, **fields: object) -> None: ...


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
    target.get_tenant(arguments.tenant)
    container = open_container(target.environment, "extract")
    rereading = Reextraction(
        container, arguments.model or container.extract_model, may_ask=partial(_event_filter, arguments)
    )
    users = arguments.user or container.users.list_users(arguments.tenant)
    if not arguments.dry_run:
        require_confirmation(
            arguments, f"Store what differs of {_list_users(len(users))} of {arguments.tenant}?"
        )
    told: list[Row] = []
    for user in track(
        users, "users", console=output.progress_console(), transient=True, disable=output.is_quiet
    ):
        told += replay(Owner(tenant=arguments.tenant, user=user), rereading, dry_run=arguments.dry_run)
    output.print_rows(told, nothing=f"{_list_users(len(users))}: nothing differs from what is stored.")


def _list_users(number: int) -> str:
    return "one user" if number == 1 else f"{number} users"


def replay(owner: Owner, rereading: Reextraction, *, dry_run: bool) -> list[Row]:
    """Derive one user's facts anew and store what differs; return one row for each fact that changes."""
    derived = rereading.derive_facts(owner)
    container = rereading.container
    stored = container.facts.store.list_observations(owner)
    changes = compare_facts(stored, derived.merge_with(stored))
    if not dry_run:
        container.facts.answers.save_answers(
            owner.tenant,
            derived.answers,
            prompt_version=rereading.instructions.version,
            model=rereading.model_id,
        )
        container.fact_rebuilder.rebuild_facts(owner, derived.merge_with)
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
