"""Corrections: facts that a person sets or retracts, each under the version that the caller knows.

A correction is stored with an event of its own. A batch writes the valid ones and reports the others.
"""

import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from functions.api.facts.schemas import FactIn, FactRejected, FactResults, FactSet, KeyedFactIn
from functions.api.fields import describe_first_error
from membus.core.errors import ConflictError, InvalidError, MembusError, NotFoundError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.core.strict_json import UnreadableItem
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

CHANGES_MAX = 19
"""Changes in one transaction of 100 items: three for a fact, two for its event, one for the profile."""
CORRECTION_RETRY = RetryPolicy(tries=8, pause_seconds=0.02)
"""For a writer that lost a race; its pauses add up to 2.5 seconds at most."""
MOMENT_STEP = timedelta(milliseconds=1)
CLOCK_SKEW_MAX = timedelta(minutes=5)
"""How far a caller's clock may run ahead."""


@dataclass(frozen=True)
class FactChange:
    """A change of one fact and what the caller expects; version 0 is that of a fact that must not exist.

    A version counts observations, and a rebuild may count anew; a revision names exactly what the caller saw.
    """

    correction: Correction
    event_id: str
    expected_version: int | None = None
    expected_revision: int | None = None


@dataclass(frozen=True)
class PreparedChange:
    """A change that may be written: its event and observation, and the key's history before and after it."""

    event: RecordedEvent
    observation: Observation
    before: ObservationHistory
    after: ObservationHistory

    @property
    def resulting_fact(self) -> Fact:
        fact = fact_from_snapshot(self.after.full_snapshot)
        assert fact  # noqa: S101 - it has one observation at least
        return fact

    @property
    def changed_snapshots(self) -> dict[str, ObservationSnapshot | None]:
        compacted = self.after.compact_older()
        return (
            {} if compacted.snapshot == self.before.snapshot else {self.observation.key: compacted.snapshot}
        )


@dataclass(frozen=True)
class CorrectionResult:
    """A fact after a change; without a revision where a repeated request is followed by other changes."""

    fact: Fact
    revision: int | None


CorrectionOutcome = CorrectionResult | MembusError


def correct_fact(
    owner: Owner,
    change: FactChange,
    *,
    now: datetime,
    facts: FactStore,
    sleep: Callable[[float], None] = time.sleep,
) -> CorrectionResult:
    """Return the fact after the change; for a repeated request, as the first one left it.

    Raises:
        ConflictError: the fact is at another version than expected; carries that version.
        NotFoundError: there is nothing to retract.
        InvalidError: `idempotency_mismatch`, or a moment that lies in the future.
    """
    (outcome,) = correct_facts(owner, [change], now=now, facts=facts, sleep=sleep)
    if isinstance(outcome, MembusError):
        raise outcome
    return outcome


def correct_facts(
    owner: Owner,
    changes: Sequence[FactChange],
    *,
    now: datetime,
    facts: FactStore,
    sleep: Callable[[float], None] = time.sleep,
) -> list[CorrectionOutcome]:
    """Return what became of each change, in their order; each key may be changed once."""
    outcomes: list[CorrectionOutcome] = []
    for start in range(0, len(changes), CHANGES_MAX):
        chunk = changes[start : start + CHANGES_MAX]
        outcomes += _commit_changes(owner, chunk, now=now, facts=facts, sleep=sleep)
    return outcomes


def correction_of(key: str, asked: FactIn) -> Correction:
    return Correction(
        key=key,
        value=asked.value,
        kind=asked.kind,
        valid_from=asked.valid_from,
        valid_until=asked.expires_at,
        pinned=asked.pinned,
    )


def correction_event_id(owner: Owner, key: str, request_key: str | None, *, place: str) -> str:
    """Return the id of a change's event: the same for a repeated request about a fact, else a random one."""
    if request_key is None:
        return uuid.uuid4().hex
    identity = f"facts\n{owner.tenant}\n{owner.user}\n{key}\n{place}\n{request_key}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _commit_changes(
    owner: Owner,
    changes: Sequence[FactChange],
    *,
    now: datetime,
    facts: FactStore,
    sleep: Callable[[float], None],
) -> list[CorrectionOutcome]:
    """Check the changes against the stored facts and write the valid ones in one transaction."""

    def prepare(tried: int) -> tuple[Profile, list[PreparedChange | CorrectionOutcome]]:
        profile = facts.get_full_profile(owner)
        return profile, [_prepare_change(change, owner, now, facts, whole=tried > 0) for change in changes]

    def commit(
        prepared: tuple[Profile, list[PreparedChange | CorrectionOutcome]],
    ) -> list[CorrectionOutcome]:
        profile, outcomes = prepared
        if valid := [each for each in outcomes if isinstance(each, PreparedChange)]:
            facts.commit(_fact_commit(profile, valid))
        return [
            CorrectionResult(each.resulting_fact, profile.version + 1)
            if isinstance(each, PreparedChange)
            else each
            for each in outcomes
        ]

    busy = "too many others write to this user's facts right now"
    return commit_with_retry(prepare, commit, policy=CORRECTION_RETRY, busy=busy, sleep=sleep)


def _prepare_change(
    change: FactChange, owner: Owner, now: datetime, facts: FactStore, *, whole: bool
) -> PreparedChange | CorrectionOutcome:
    """Return the change as it may be written, or why it may not.

    The same request is looked for among the recent observations of the key, or among all with `whole`.
    """
    asked = change.correction
    history = (
        ObservationHistory(tuple(in_learning_order(facts.list_observations(owner, asked.key))))
        if whole
        else facts.get_history(owner, asked.key)
    )
    needs_revision = change.expected_revision is not None
    stored = _find_stored(owner, asked.key, facts) if needs_revision else None
    for observation in history.recent:
        if observation.provenance.event_id == change.event_id:
            stored = _find_stored(owner, asked.key, facts)
            return _repeated_outcome(asked, observation, history, stored)
    fact = fact_from_snapshot(history.full_snapshot)
    current = fact if fact and not fact.is_retracted else None
    if problem := _change_problem(change, current, stored, now):
        return problem
    after_older = history.snapshot.learned_at + MOMENT_STEP if history.snapshot else now
    moment = next_correction_time(history.relevant_observations, max(now, after_older))
    event = correction_event(_complete_correction(asked, current), owner, event_id=change.event_id, at=moment)
    (observation,) = observe_correction(event)
    after = extend_history(owner, observation.key, [observation], history, facts)
    return PreparedChange(event, observation, history, after)


def _find_stored(owner: Owner, key: str, facts: FactStore) -> VersionedFact | None:
    with suppress(NotFoundError):
        return facts.get_versioned_fact(owner, key)
    return None


def _repeated_outcome(
    asked: Correction, repeated: Observation, history: ObservationHistory, stored: VersionedFact | None
) -> CorrectionOutcome:
    """Return the fact as the first request left it, whatever has happened to it since."""
    is_same = (
        asked.value == repeated.value
        and asked.kind in {None, repeated.kind}
        and asked.valid_from in {None, repeated.valid_from}
        and asked.valid_until in {None, repeated.valid_until}
        and asked.pinned == repeated.pinned
    )
    known = observations_as_of(history.recent, true_at=None, known_at=repeated.learned_at)
    fact = fact_from_snapshot(ObservationHistory(tuple(known), history.snapshot).full_snapshot)
    if is_same and fact:
        return CorrectionResult(fact, stored.revision if stored and stored.fact == fact else None)
    return InvalidError("this key was used for another request", code="idempotency_mismatch")


def _change_problem(
    change: FactChange, current: Fact | None, stored: VersionedFact | None, now: datetime
) -> MembusError | None:
    asked, version = change.correction, current.version if current else 0
    if asked.value is None and current is None:
        return NotFoundError(f"nothing is known under {asked.key}")
    if change.expected_version not in {None, version}:
        return ConflictError(
            f"{asked.key} is at version {version}, not {change.expected_version}", version=version
        )
    if change.expected_revision not in {None, stored.revision if stored else None}:
        return ConflictError(f"{asked.key} is not what its tag stands for any more", version=version)
    if asked.valid_from and asked.valid_from > now + CLOCK_SKEW_MAX:
        return InvalidError("valid_from lies in the future: a fact is what is so, or was")
    if asked.valid_until and asked.valid_until <= (asked.valid_from or now):
        return InvalidError("expires_at lies before the fact begins: to end a fact, delete it")
    return None


def _complete_correction(asked: Correction, current: Fact | None) -> Correction:
    """Return the correction with the kind, and with the date of a value that stays, where it names none."""
    kind = asked.kind or (current.kind if current else kind_of_key(asked.key))
    stays = current and current.value and asked.value and current.value.casefold() == asked.value.casefold()
    valid_from = asked.valid_from or (current.valid_from if current and stays else None)
    return asked.model_copy(update={"kind": kind, "valid_from": valid_from})


def _fact_commit(profile: Profile, changes: Sequence[PreparedChange]) -> FactCommit:
    current = tuple(each.resulting_fact for each in changes)
    return FactCommit(
        profile=profile.with_facts(current),
        extractor=CORRECTIONS_VERSION,
        events=(),
        new_events=tuple(each.event for each in changes),
        observations=tuple(each.observation for each in changes),
        facts=current,
        snapshots={key: carried for each in changes for key, carried in each.changed_snapshots.items()},
    )


def put_facts(
    owner: Owner,
    items: Sequence[Any],
    *,
    request_key: str,
    now: datetime,
    facts: FactStore,
    sleep: Callable[[float], None] = time.sleep,
) -> FactResults:
    """Return what became of each item; the ids of the events follow from the request's key."""
    valid: dict[int, KeyedFactIn] = {}
    results: dict[int, FactSet | FactRejected] = {}
    for index, item in enumerate(items):
        parsed = _parse_item(index, item, taken={each.key for each in valid.values()})
        if isinstance(parsed, KeyedFactIn):
            valid[index] = parsed
        else:
            results[index] = parsed
    changes = [_batch_change(owner, index, each, request_key) for index, each in valid.items()]
    outcomes = correct_facts(owner, changes, now=now, facts=facts, sleep=sleep)
    for (index, each), outcome in zip(valid.items(), outcomes, strict=True):
        results[index] = _batch_result(index, each.key, outcome)
    return FactResults(results=[results[index] for index in range(len(items))])


def _parse_item(index: int, item: Any, *, taken: set[str]) -> KeyedFactIn | FactRejected:
    if isinstance(item, UnreadableItem):
        return FactRejected(index=index, key=None, code=item.error.code, detail=item.error.detail)
    try:
        asked = KeyedFactIn.model_validate(item)
    except ValidationError as error:
        key = item.get("key") if isinstance(item, dict) else None
        named = key if isinstance(key, str) else None
        detail = describe_first_error(error, "fact")
        return FactRejected(index=index, key=named, code="invalid", detail=detail)
    if asked.key in taken:
        detail = "a batch sets a key once"
        return FactRejected(index=index, key=asked.key, code="duplicate_key", detail=detail)
    return asked


def _batch_change(owner: Owner, index: int, asked: KeyedFactIn, request_key: str) -> FactChange:
    correction = correction_of(asked.key, asked)
    event_id = correction_event_id(owner, asked.key, request_key, place=f"batch {index}")
    return FactChange(correction, event_id, asked.expected_version)


def _batch_result(index: int, key: str, outcome: CorrectionOutcome) -> FactSet | FactRejected:
    if isinstance(outcome, MembusError):
        version = outcome.version if isinstance(outcome, ConflictError) else None
        return FactRejected(
            index=index, key=key, code=outcome.code, detail=outcome.detail, current_version=version
        )
    return FactSet(index=index, key=key, version=outcome.fact.version)
