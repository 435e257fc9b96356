"""`replay`: derive facts again from all episodes of users, by the extraction code itself."""

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from functions.extract.ports import FactPorts
from functions.extract.prompt import ExtractionInstructions
from functions.extract.reading import Reading, make_reading
from membus.core.clock import EARLIEST, LATEST
from membus.core.errors import InvalidError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.core.pages import read_items
from membus.episodes.model import EpisodeQuery
from membus.episodes.ports import EpisodeReader
from membus.erasure.guard import ErasureGuard
from membus.facts.candidates import ReviewItem
from membus.facts.rules import needs_model
from membus.tenants.settings import MemorySettings
from scripts.command import TENANT, command, option, parse_moment, require_confirmation
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.reextraction.derivation import (
    DerivedFacts,
    DraftFacts,
    FactChanges,
    compare_facts,
    derive_facts,
)
from scripts.reextraction.signals import InMemorySignals
from scripts.target import Target, open_container

PAGE = 500
MODEL_SECONDS = 120
NOT_ASKED = InvalidError("the model was not to be asked about it", code="not_asked")
KINDS = ("added", "lost", "changed")


@dataclass(frozen=True)
class Reextraction:
    """Reads users' events again, by the settings of their tenant.

    `may_ask` says about which events the model may be asked if it was never asked before. `instructions` of a
    trial replace those in use, the tenant's own included.
    """

    container: OperatorContainer
    model_id: str
    instructions: ExtractionInstructions | None = None
    may_ask: Callable[[RecordedEvent], bool] = lambda _: True

    def reextract_user(
        self, owner: Owner, *, save_answers: bool, save_facts: bool
    ) -> tuple[DerivedFacts, list[Row]]:
        """Derive a user's facts and save what is asked for; return one row for each fact that differs."""
        derived, facts = self.derive_facts(owner), self.container.facts
        stored = facts.store.list_observations(owner)
        changes = compare_facts(stored, derived.merge_with(stored))
        if save_answers:
            for version, answers in derived.answers_by_version().items():
                facts.answers.save_answers(owner, answers, prompt_version=version, model=self.model_id)
        if save_facts:
            self.container.fact_rebuilder.rebuild_facts(owner, derived.merge_with)
        return derived, _list_rows(owner.user, derived, changes)

    def derive_facts(self, owner: Owner) -> DerivedFacts:
        """Extract a user's events; an event without a known answer that `may_ask` excludes is unread."""
        events = list(self.list_episodes(owner))
        reading_for = partial(
            self._reading_for, self.container.tenants.settings.get_settings(owner.tenant).settings
        )
        known = self._find_answered(owner, events, reading_for)
        closed = {
            each.event_id
            for each in events
            if needs_model(each.event) and each.event_id not in known and not self.may_ask(each)
        }
        open_events = (each for each in events if each.event_id not in closed)
        derived = derive_facts(owner, open_events, ports_for=self._ports, reading_for=reading_for)
        return replace(derived, unread=derived.unread | dict.fromkeys(closed, NOT_ASKED))

    def list_episodes(self, owner: Owner) -> Iterator[RecordedEvent]:
        return list_episodes(owner, self.container.episodes.reader, self.container.erasure.guard)

    def _reading_for(self, settings: MemorySettings, recorded: RecordedEvent) -> Reading:
        reading = make_reading(settings, recorded.event.agent_id)
        return replace(reading, instructions=self.instructions) if self.instructions else reading

    def _find_answered(
        self, owner: Owner, events: Sequence[RecordedEvent], reading_for: Callable[[RecordedEvent], Reading]
    ) -> set[str]:
        """Return the ids of the events that the model has answered about under the instructions in use."""
        by_version: dict[str, dict[str, Owner]] = {}
        for each in events:
            by_version.setdefault(reading_for(each).instructions.version, {})[each.event_id] = owner
        answers = self.container.facts.answers
        return {
            event_id
            for version, owners in by_version.items()
            for event_id in answers.get_answers(owners, prompt_version=version, model=self.model_id)
        }

    def _ports(self, draft: DraftFacts) -> FactPorts:
        nothing = _NoEffects()
        return FactPorts(
            facts=draft,
            signals=InMemorySignals(),
            review_queue=nothing,
            unprocessed=nothing,
            answers=self.container.facts.answers,
            model=partial(self.container.llm.get_model_by_id, self.model_id),
            model_id=self.model_id,
            monitor=nothing,
            seconds_left=lambda: MODEL_SECONDS,
        )


class _NoEffects:
    """Discards what the first extraction has done: review items, processed messages, metrics, logs."""

    def add_items(self, owner: Owner, items: Iterable[ReviewItem]) -> None: ...

    def mark_processed(self, owner: Owner, places: Iterable[str]) -> None: ...

    def count_metric(self, name: str, value: int = 1) -> None: ...

    def log_info(self, message: str, **fields: object) -> None: ...

    def log_warning(self, message: str, **fields: object) -> None: ...


def list_episodes(owner: Owner, reader: EpisodeReader, guard: ErasureGuard) -> Iterator[RecordedEvent]:
    """Yield all episodes of a user, of any agent and both tiers, without erased ones.

    Raises:
        UnavailableError: the user is being erased.
    """
    query = EpisodeQuery(tenant=owner.tenant, user_id=owner.user, start=EARLIEST, end=LATEST)
    for each in read_items(partial(reader.list_episodes, query, limit=PAGE)):
        recorded = RecordedEvent(event=each.event, learned_at=each.learned_at)
        if guard.accepts_event(recorded):
            yield recorded


@command(
    "replay",
    "derive facts again from episodes",
    TENANT,
    option("--user", action="append", metavar="USER", help="only this one (may be repeated)"),
    option(
        "--from", dest="start", type=parse_moment, default=EARLIEST, help="only ask about events since then"
    ),
    option("--to", dest="end", type=parse_moment, default=LATEST, help="only ask about events before then"),
    option("--model", help="whose answers to use (default: those of the deployed extractor)"),
    option("--ask", action="store_true", help="ask the model about events it was never asked about"),
    examples=[
        "replay --tenant acme --user ada --dry-run",
        "replay --tenant acme --ask --environment dev --yes",
    ],
    asks=True,
)
def replay(arguments: Namespace, target: Target, output: Output) -> None:
    tenant = target.get_tenant(arguments.tenant).tenant_id
    container = open_container(target.environment, "extract")

    def may_ask(recorded: RecordedEvent) -> bool:
        return bool(arguments.ask) and arguments.start <= recorded.event.occurred_at < arguments.end

    reextraction = Reextraction(container, arguments.model or container.extract_model, may_ask=may_ask)
    users = arguments.user or container.users.list_users(tenant)
    counted, save = "one user" if len(users) == 1 else f"{len(users)} users", not arguments.dry_run
    if save:
        require_confirmation(arguments, f"Store the facts that differ of {counted} of {tenant}?")
    rows: list[Row] = []
    for user in output.track(users, "users"):
        owner = Owner(tenant=tenant, user=user)
        rows += reextraction.reextract_user(owner, save_answers=save, save_facts=save)[1]
    output.print_rows(rows, nothing=f"{counted}: nothing differs from what is stored.")


def _list_rows(user: str, derived: DerivedFacts, changes: FactChanges) -> list[Row]:
    found = [
        ("added" if old is None else "lost" if new is None else "changed", key, old or "", new or "")
        for key, (old, new) in changes.items()
    ]
    found.sort(key=lambda row: KINDS.index(row[0]))
    found += [("unread", event_id, "", error.code) for event_id, error in sorted(derived.unread.items())]
    return [
        {"user": user, "what": what, "key": key, "before": old, "after": new} for what, key, old, new in found
    ]
