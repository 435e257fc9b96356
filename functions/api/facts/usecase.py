"""What is known about a user: now, as of a moment, and how it came to be known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.api.cursors import read_cursor, write_cursor
from functions.api.facts.explanation import EXPLAINED_OBSERVATIONS_MAX, build_explanation
from functions.api.facts.schemas import ExplainedFact, FactHistory, FactPage, ProfileOut
from functions.api.facts.timeline import FactTimeline
from membus.core.errors import NotFoundError
from membus.core.identity import Owner
from membus.core.pages import CursorSigner
from membus.core.tokens import estimate_tokens
from membus.episodes.ports import EventTraceReader
from membus.facts.fact import (
    Fact,
    fact_as_of,
    fact_from_snapshot,
    group_by_key,
    list_versions,
    observations_as_of,
    position_of,
)
from membus.facts.observation import Observation
from membus.facts.ports import FactReader

HISTORY_CONTEXT = 200
"""Observations beside a page of history that are looked at for what ended it."""


@dataclass(frozen=True)
class AsOf:
    """The moments that are asked about: when it was true, and when membus knew of it; None means now."""

    true_at: datetime | None
    known_at: datetime | None


def read_profile(owner: Owner, moment: datetime | None, *, now: datetime, facts: FactReader) -> ProfileOut:
    """Return the profile as it is, by one read, or as it was true at `moment`, from the history."""
    profile = facts.get_profile(owner)
    if moment:
        profile = profile.model_copy(
            update={"facts": tuple(facts_as_of(owner, true_at=moment, known_at=None, facts=facts))}
        )
    text = profile.rendered_text
    shown = [fact.with_confidence_at(moment or now) for fact in profile.facts]
    return ProfileOut(version=profile.version, facts=shown, text=text, tokens=estimate_tokens(text))


def list_facts(
    owner: Owner,
    *,
    kind: str | None,
    limit: int,
    cursor: str | None,
    now: datetime,
    facts: FactReader,
    sealer: CursorSigner,
) -> FactPage:
    query = f"facts\n{owner.tenant}\n{owner.user}\n{kind}"
    page = facts.list_facts(
        owner, kind=kind, limit=limit, after=read_cursor(cursor, query=query, sealer=sealer)
    )
    return FactPage(
        items=[fact.with_confidence_at(now) for fact in page.items],
        next_cursor=write_cursor(page.after, query=query, sealer=sealer),
    )


def list_facts_as_of(
    owner: Owner,
    then: AsOf,
    *,
    kind: str | None,
    limit: int,
    cursor: str | None,
    facts: FactReader,
    sealer: CursorSigner,
) -> FactPage:
    """Return one page of the facts that were true and known then, in the order of their keys."""
    query = f"facts\n{owner.tenant}\n{owner.user}\n{kind}\n{then.true_at}\n{then.known_at}"
    after = (read_cursor(cursor, query=query, sealer=sealer) or {"key": ""})["key"]
    found = [
        fact
        for fact in facts_as_of(owner, true_at=then.true_at, known_at=then.known_at, facts=facts)
        if kind in {None, fact.kind} and fact.key > after
    ]
    last = {"key": found[limit - 1].key} if len(found) > limit else None
    return FactPage(items=found[:limit], next_cursor=write_cursor(last, query=query, sealer=sealer))


def read_history(
    owner: Owner, key: str, *, limit: int, cursor: str | None, facts: FactReader, sealer: CursorSigner
) -> FactHistory:
    """Return one page of what was ever observed of a key, in the order it was learned, each with its true end.

    What ended it is looked for among the two hundred that were learned before the page and after it.
    """
    query = f"history\n{owner.tenant}\n{owner.user}\n{key}"
    mark = read_cursor(cursor, query=query, sealer=sealer)
    place = (int(mark["learned_ms"]), mark["event_id"]) if mark else None
    found = facts.list_observation_range(owner, key, beyond=place, limit=limit + HISTORY_CONTEXT)
    if not found and mark is None:
        raise NotFoundError(f"nothing was ever known under {key}")
    before = (
        facts.list_observation_range(
            owner, key, beyond=position_of(found[0]), limit=HISTORY_CONTEXT, backwards=True
        )
        if mark and found
        else []
    )
    page, first = found[:limit], int(mark["number"]) if mark else 1
    timeline = FactTimeline([*before, *found])
    versions = list_versions(page, first=first, believed=_believed_event_id(owner, key, facts))
    items = [each.model_copy(update={"valid_until": timeline.end_of(each)}) for each in versions]
    last = _history_cursor(page[-1], first + limit) if len(found) > limit else None
    return FactHistory(items=items, next_cursor=write_cursor(last, query=query, sealer=sealer))


def _history_cursor(seen: Observation, number: int) -> dict[str, str]:
    learned_ms, event_id = position_of(seen)
    return {"learned_ms": str(learned_ms), "event_id": event_id, "number": str(number)}


def _believed_event_id(owner: Owner, key: str, facts: FactReader) -> str:
    """Return the event of what holds now, or of the word that took it back."""
    fact = fact_from_snapshot(facts.get_history(owner, key).full_snapshot)
    return fact.provenance.event_id if fact else ""


def read_fact(owner: Owner, key: str, *, now: datetime, facts: FactReader) -> tuple[ExplainedFact, int]:
    """Return the fact as sure as it still is, and its revision."""
    fact, revision = facts.get_versioned_fact(owner, key)
    return ExplainedFact(**dict(fact.with_confidence_at(now))), revision


def explain_fact(
    owner: Owner, key: str, *, now: datetime, facts: FactReader, traces: EventTraceReader
) -> tuple[ExplainedFact, int]:
    """Return the fact and why it is believed, by a read of its recent history and two of its event."""
    fact, revision = facts.get_versioned_fact(owner, key)
    seen = facts.list_observation_range(
        owner, key, beyond=None, limit=EXPLAINED_OBSERVATIONS_MAX, backwards=True
    )
    trace = traces.find_trace(owner.tenant, fact.provenance.event_id)
    explanation = build_explanation(fact, seen, trace)
    return ExplainedFact(**dict(fact.with_confidence_at(now)), explanation=explanation), revision


def facts_as_of(
    owner: Owner, *, true_at: datetime | None, known_at: datetime | None = None, facts: FactReader
) -> list[Fact]:
    """Return the facts that were true and known then, each with the end of its value as far as that was known."""
    known = observations_as_of(facts.list_observations(owner), true_at=None, known_at=known_at)
    folded = (_fact_as_of(seen, true_at) for seen in group_by_key(known).values())
    return sorted((fact for fact in folded if fact and not fact.is_retracted), key=lambda fact: fact.key)


def _fact_as_of(known: Sequence[Observation], true_at: datetime | None) -> Fact | None:
    fact = fact_as_of(known, true_at=true_at)
    if fact is None or fact.is_retracted or true_at is None:
        return fact
    return fact.model_copy(update={"valid_until": FactTimeline(known).end_of(fact, true_at)})
