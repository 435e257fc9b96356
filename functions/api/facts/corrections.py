"""A change to a fact by hand: as it is asked for, what it is judged by, and what is written.

Facts set or taken back by hand.

Each under the version the caller knows, each with the event that says so.

Many facts set by hand in one request.

The valid ones are written, the others reported each with its reason.
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from functions.api.facts.schemas import FactRejected, FactResults, FactSet, KeyedFactIn
from membus.core.errors import ConflictError, InvalidError, MembusError, NotFoundError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.facts.commit import extend_history
from membus.facts.corrections import (
    CORRECTIONS_VERSION,
    Correction,
    correction_event,
    kind_of_key,
    next_correction_time,
    observe_correction,
)
from membus.facts.fact import (
    Fact,
    ObservationHistory,
    ObservationSnapshot,
    fact_from_snapshot,
    observations_as_of,
)
from membus.facts.observation import Observation
from membus.facts.ports import FactCommit, FactStore, VersionedFact
from membus.facts.profile import Profile
from membus.facts.resolution import in_learning_order


@dataclass(frozen=True)
class FactChange:
    """What a caller wants of one fact; version 0 is expected of a fact that must not exist.

    A revision is of exactly what the caller has seen: a version counts observations, and a rebuild may count
    anew.
    """

    correction: Correction
    event_id: str
    expected_version: int | None = None
    expected_revision: int | None = None


@dataclass(frozen=True)
class KnownFact:
    """A fact as it is known when a change to it is judged; `stored` where the change asks for a revision."""

    trail: ObservationHistory
    stored: VersionedFact | None

    @property
    def current_fact(self) -> Fact | None:
        fact = fact_from_snapshot(self.trail.full_snapshot)
        return fact if fact and not fact.is_retracted else None


@dataclass(frozen=True)
class PreparedChange:
    """A change that may be written: its event, what it teaches, the key's trail before and with it."""

    event: RecordedEvent
    seen: Observation
    before: ObservationHistory
    after: ObservationHistory

    @property
    def resulting_fact(self) -> Fact:
        fact = fact_from_snapshot(self.after.full_snapshot)
        assert fact  # noqa: S101 - it has one observation at least
        return fact

    @property
    def changed_snapshots(self) -> dict[str, ObservationSnapshot | None]:
        short = self.after.compact_older()
        return {} if short.carried == self.before.carried else {self.seen.key: short.carried}


CHANGES_MAX = 19
"""DynamoDB takes 100 items in a transaction.

Three for each fact at most, two for its event, one for the profile.
"""
CORRECTION_RETRY = RetryPolicy(tries=8, pause_seconds=0.02)
"""For a writer that lost a race; its pauses add up to 2.5 seconds at most."""
MOMENT_STEP = timedelta(milliseconds=1)
CLOCK_SKEW_MAX = timedelta(minutes=5)
"""How far a caller's clock may run before ours."""


@dataclass(frozen=True)
class CorrectionResult:
    """A fact as a change left it; without a revision where the same request came first, and others since."""

    fact: Fact
    revision: int | None


CorrectionOutcome = CorrectionResult | MembusError


def correct_fact(
    owner: Owner, change: FactChange, *, now: datetime, facts: FactStore, pause: Callable[[float], None]
) -> CorrectionResult:
    """Return the fact as the change leaves it, or left it when the same request came first.

    Raises:
        ConflictError: the fact is at another version than expected; carries that version.
        NotFoundError: there is nothing to take back.
        InvalidError: `idempotency_mismatch`, or a moment that lies in the future.
    """
    (outcome,) = correct_facts(owner, [change], now=now, facts=facts, pause=pause)
    if isinstance(outcome, MembusError):
        raise outcome
    return outcome


def correct_facts(
    owner: Owner,
    changes: Sequence[FactChange],
    *,
    now: datetime,
    facts: FactStore,
    pause: Callable[[float], None],
) -> list[CorrectionOutcome]:
    """Return what became of each change, in their order; each key may be changed once."""
    outcomes: list[CorrectionOutcome] = []
    for start in range(0, len(changes), CHANGES_MAX):
        outcomes += _commit_changes(
            owner, changes[start : start + CHANGES_MAX], now=now, facts=facts, pause=pause
        )
    return outcomes


def correction_event_id(owner: Owner, key: str, request_key: str | None, *, place: str) -> str:
    """Return the id of a change's event.

    The same for the same request about the same fact, else one of its own.
    """
    if request_key is None:
        return uuid.uuid4().hex
    asked = f"facts\n{owner.tenant}\n{owner.user}\n{key}\n{place}\n{request_key}"
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


def _commit_changes(
    owner: Owner,
    changes: Sequence[FactChange],
    *,
    now: datetime,
    facts: FactStore,
    pause: Callable[[float], None],
) -> list[CorrectionOutcome]:
    """Judge the changes by the facts as they are and write what may be, again if somebody else was faster."""

    def prepare(tried: int) -> tuple[Profile, list[PreparedChange | CorrectionOutcome]]:
        profile = facts.get_full_profile(owner)
        return profile, [_prepare_change(change, owner, now, facts, whole=tried > 0) for change in changes]

    def commit(judged: tuple[Profile, list[PreparedChange | CorrectionOutcome]]) -> list[CorrectionOutcome]:
        profile, outcomes = judged
        if made := [each for each in outcomes if isinstance(each, PreparedChange)]:
            facts.commit(_fact_commit(profile, made))
        return [
            CorrectionResult(each.resulting_fact, profile.version + 1)
            if isinstance(each, PreparedChange)
            else each
            for each in outcomes
        ]

    busy = "too many others write to this user's facts right now"
    return commit_with_retry(prepare, commit, policy=CORRECTION_RETRY, busy=busy, sleep=pause)


def _prepare_change(
    change: FactChange, owner: Owner, now: datetime, facts: FactStore, *, whole: bool
) -> PreparedChange | CorrectionOutcome:
    """Judge a change by what is known of its key.

    `whole` looks for the same request among all observations.
    """
    known = _load_known_fact(change, owner, facts, whole=whole)
    repeated = next(
        (each for each in known.trail.recent if each.provenance.event_id == change.event_id), None
    )
    if repeated:
        return _repeated_outcome(
            change.correction, repeated, known.trail, _load_stored(owner, change.correction.key, facts)
        )
    held = known.current_fact
    if refused := _find_refusal(change, held, known.stored, now):
        return refused
    latest = known.trail.carried.learned_at + MOMENT_STEP if known.trail.carried else now
    at = next_correction_time(known.trail.relevant_observations, max(now, latest))
    event = correction_event(
        _complete_correction(change.correction, held), owner, event_id=change.event_id, at=at
    )
    (observation,) = observe_correction(event)
    return PreparedChange(
        event,
        observation,
        known.trail,
        extend_history(owner, observation.key, [observation], known.trail, facts),
    )


def _load_known_fact(change: FactChange, owner: Owner, facts: FactStore, *, whole: bool) -> KnownFact:
    key = change.correction.key
    trail = (
        ObservationHistory(tuple(in_learning_order(facts.list_observations(owner, key))))
        if whole
        else facts.get_history(owner, key)
    )
    return KnownFact(trail, _load_stored(owner, key, facts) if change.expected_revision is not None else None)


def _load_stored(owner: Owner, key: str, facts: FactStore) -> VersionedFact | None:
    with suppress(NotFoundError):
        return facts.get_versioned_fact(owner, key)
    return None


def _repeated_outcome(
    asked: Correction, repeated: Observation, trail: ObservationHistory, now: VersionedFact | None
) -> CorrectionOutcome:
    """Return the fact as this very request left it, whatever has happened to it since."""
    same = (
        asked.value == repeated.value
        and asked.kind in {None, repeated.kind}
        and asked.valid_from in {None, repeated.valid_from}
        and asked.valid_until in {None, repeated.valid_until}
    )
    seen = observations_as_of(trail.recent, true_at=None, known_at=repeated.learned_at)
    then = fact_from_snapshot(ObservationHistory(tuple(seen), trail.carried).full_snapshot)
    if same and then:
        return CorrectionResult(then, now.revision if now and now.fact == then else None)
    return InvalidError("this key was used for another request", code="idempotency_mismatch")


def _find_refusal(
    change: FactChange, held: Fact | None, stored: VersionedFact | None, now: datetime
) -> MembusError | None:
    asked, version = change.correction, held.version if held else 0
    if asked.value is None and held is None:
        return NotFoundError(f"nothing is known under {asked.key}")
    if change.expected_version not in {None, version}:
        return ConflictError(
            f"{asked.key} is at version {version}, not {change.expected_version}", version=version
        )
    if change.expected_revision is not None and (
        stored is None or change.expected_revision != stored.revision
    ):
        return ConflictError(f"{asked.key} is not what its tag stands for any more", version=version)
    if asked.valid_from and asked.valid_from > now + CLOCK_SKEW_MAX:
        return InvalidError("valid_from lies in the future: a fact is what is so, or was")
    return None


def _complete_correction(asked: Correction, held: Fact | None) -> Correction:
    """Return the correction with what its caller left as it is.

    The kind, and the date of a value that stays.
    """
    kind = asked.kind or (held.kind if held else kind_of_key(asked.key))
    stays = held and held.value and asked.value and held.value.casefold() == asked.value.casefold()
    valid_from = asked.valid_from or (held.valid_from if held and stays else None)
    return asked.model_copy(update={"kind": kind, "valid_from": valid_from})


def _fact_commit(profile: Profile, made: Sequence[PreparedChange]) -> FactCommit:
    current = tuple(each.resulting_fact for each in made)
    return FactCommit(
        profile=profile.with_facts(current),
        extractor=CORRECTIONS_VERSION,
        events=(),
        new_events=tuple(each.event for each in made),
        observations=tuple(each.seen for each in made),
        facts=current,
        carried={key: carried for each in made for key, carried in each.changed_snapshots.items()},
    )


def put_facts(
    owner: Owner,
    items: Sequence[Any],
    *,
    request_key: str,
    now: datetime,
    facts: FactStore,
    pause: Callable[[float], None],
) -> FactResults:
    """Return what became of each item; the ids of the events follow from the request's key."""
    asked: dict[int, KeyedFactIn] = {}
    results: dict[int, FactSet | FactRejected] = {}
    for index, item in enumerate(items):
        checked = _parse_item(index, item, taken={each.key for each in asked.values()})
        if isinstance(checked, KeyedFactIn):
            asked[index] = checked
        else:
            results[index] = checked
    changes = [_batch_change(owner, index, each, request_key) for index, each in asked.items()]
    outcomes = correct_facts(owner, changes, now=now, facts=facts, pause=pause)
    results |= {
        index: _batch_result(index, each.key, outcome)
        for (index, each), outcome in zip(asked.items(), outcomes, strict=True)
    }
    return FactResults(results=[results[index] for index in range(len(items))])


def _parse_item(index: int, item: Any, *, taken: set[str]) -> KeyedFactIn | FactRejected:
    try:
        asked = KeyedFactIn.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "fact"
        key = item.get("key") if isinstance(item, dict) else None
        return FactRejected(
            index=index,
            key=key if isinstance(key, str) else None,
            code="invalid",
            detail=f"{where}: {first['msg']}",
        )
    if asked.key in taken:
        return FactRejected(
            index=index, key=asked.key, code="duplicate_key", detail="a batch sets a key once"
        )
    return asked


def _batch_change(owner: Owner, index: int, asked: KeyedFactIn, request_key: str) -> FactChange:
    correction = Correction(key=asked.key, value=asked.value, kind=asked.kind, valid_from=asked.valid_from)
    event_id = correction_event_id(owner, asked.key, request_key, place=f"batch {index}")
    return FactChange(correction, event_id, asked.expected_version)


def _batch_result(index: int, key: str, outcome: CorrectionOutcome) -> FactSet | FactRejected:
    if isinstance(outcome, MembusError):
        version = outcome.version if isinstance(outcome, ConflictError) else None
        return FactRejected(
            index=index, key=key, code=outcome.code, detail=outcome.detail, current_version=version
        )
    return FactSet(index=index, key=key, version=outcome.fact.version)
