"""Imports into a bus and stores in memory."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from scripts.output import Output
from scripts.transfer.import_command import ImportReport, ImportTargets, run_import
from scripts.transfer.restoration import RestoreStores
from tests.fakes.event_bus import InMemoryEventBus
from tests.fakes.facts import InMemoryFacts
from tests.fakes.restoring import InMemoryRestoredConversations
from tests.support.exports import archived_rows
from tests.support.extraction import Extraction, a_message, observant
from tests.unit.test_export import Household

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"
QUIET = Output(as_json=True)
MINUTE = timedelta(minutes=1)


def arguments(file: Path, source: str, **more: Any) -> Namespace:
    given = {"tenant": "zeta", "user": "ada", "map": None, "at": None, "strict": False, "dry_run": False}
    return Namespace(file=file, source=source, **given | more)


def stores_of(household: Household) -> RestoreStores:
    """Return the stores of a household, to which an export file is restored."""
    talks = household.conversations
    return RestoreStores(
        documents=household.documents,
        conversations=talks,
        states=household.states,
        contents=household.contents,
        restored=InMemoryRestoredConversations(talks, household.summaries),
        is_erased=lambda *_: False,
    )


def imported(
    file: Path, source: str, *, stores: RestoreStores | None = None, **more: Any
) -> tuple[ImportReport, list[RecordedEvent]]:
    bus = InMemoryEventBus()
    targets = ImportTargets(bus, stores or stores_of(Household()))
    return run_import(arguments(file, source, **more), targets, QUIET), bus.retold


def exported(household: Household, folder: Path) -> Path:
    archive = folder / "ada.zip"
    archive.write_bytes(archived_rows(household.sources))
    return archive


def delivered(events: Sequence[RecordedEvent]) -> Extraction:
    extraction = Extraction(observant())
    for number, each in enumerate(events):
        extraction.deliver(a_message(each.event, f"m{number}", taken_at=each.learned_at))
    return extraction


def restored_rows(facts: InMemoryFacts, owner: Owner) -> dict[str, tuple[str | None, datetime, int]]:
    return {fact.key: (fact.value, fact.valid_from, fact.seen) for fact in facts.get_profile(owner).facts}
