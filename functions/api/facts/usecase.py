"""Profile and facts of a user: current, as of a moment, and the history of a fact."""

from collections.abc import Sequence
from datetime import datetime

from functions.api.facts.explanation import EXPLAINED_OBSERVATIONS_MAX, build_explanation
from functions.api.facts.schemas import ExplainedFact, FactHistory, FactPage, ProfileOut
from functions.api.facts.timeline import FactTimeline
from functions.api.pages import PageRequest
from membus.core.errors import NotFoundError
from membus.core.identity import Owner
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
"""Observations before and after a page of history in which the end of its values is looked for."""


def read_profile(owner: Owner, moment: datetime | None, *, now: datetime, facts: FactReader) -> ProfileOut:
    """Return the current profile, by one read, or the one that was true at `moment`, from the history."""
    profile = facts.get_profile(owner).as_of(now)
    if moment:
        past = facts_as_of(owner, true_at=moment, known_at=None, facts=facts)
        profile = profile.model_copy(update={"facts": tuple(past)})
    text = profile.rendered_text
    shown = [fact.with_confidence_at(moment or now) for fact in profile.facts]
    return ProfileOut(version=profile.version, facts=shown, text=text, tokens=estimate_tokens(text))


def list_facts(
    owner: Owner, *, kind: str | None, page: PageRequest, now: datetime, facts: FactReader
) -> FactPage:
    query = page.for_query("facts", owner.tenant, owner.user, kind)
    found = facts.list_facts(owner, kind=kind, limit=query.limit, after=query.after)
    items = [fact.with_confidence_at(now) for each in found.items if (fact := each.as_of(now))]
    return FactPage(items=items, next_cursor=query.next_cursor(found.after))


def list_facts_as_of(
    owner: Owner,
    true_at: datetime | None,
    known_at: datetime | None,
    *,
    kind: str | None,
    page: PageRequest,
    facts: FactReader,
) -> FactPage:
    """Return one page of the facts that were true and known at two moments, by key; None means now."""
    query = page.for_query("facts", owner.tenant, owner.user, kind, true_at, known_at)
    after = query.after["key"] if query.after else ""
    found = [
        fact
        for fact in facts_as_of(owner, true_at=true_at, known_at=known_at, facts=facts)
        if kind in {None, fact.kind} and fact.key > after
    ]
    last = {"key": found[query.limit - 1].key} if len(found) > query.limit else None
    return FactPage(items=found[: query.limit], next_cursor=query.next_cursor(last))


def facts_as_of(
    owner: Owner, *, true_at: datetime | None, known_at: datetime | None = None, facts: FactReader
) -> list[Fact]:
    """Return the facts that were true and known then, each with its end as far as that was known."""
    known = observations_as_of(facts.list_observations(owner), true_at=None, known_at=known_at)
    folded = (_fact_as_of(observations, true_at) for observations in group_by_key(known).values())
    return sorted((fact for fact in folded if fact and not fact.is_retracted), key=lambda fact: fact.key)


def _fact_as_of(known: Sequence[Observation], true_at: datetime | None) -> Fact | None:
    fact = fact_as_of(known, true_at=true_at)
    if fact is None or fact.is_retracted or true_at is None:
        return fact
    return fact.model_copy(update={"valid_until": FactTimeline(known).end_of(fact, true_at)})


def read_history(owner: Owner, key: str, *, page: PageRequest, facts: FactReader) -> FactHistory:
    """Return one page of the observations of a key, in the order of learning, each with its true end."""
    query = page.for_query("history", owner.tenant, owner.user, key)
    after = query.after
    start = (int(after["learned_ms"]), after["event_id"]) if after else None
    found = facts.list_observation_range(owner, key, beyond=start, limit=query.limit + HISTORY_CONTEXT)
    if not found and after is None:
        raise NotFoundError(f"nothing was ever known under {key}")
    before = (
        facts.list_observation_range(
            owner, key, beyond=position_of(found[0]), limit=HISTORY_CONTEXT, backwards=True
        )
        if after and found
        else []
    )
    observations, first = found[: query.limit], int(after["number"]) if after else 1
    current = fact_from_snapshot(facts.get_history(owner, key).full_snapshot)
    event_id = current.provenance.event_id if current else ""
    timeline = FactTimeline([*before, *found])
    items = [
        version.model_copy(update={"valid_until": timeline.end_of(version)})
        for version in list_versions(observations, first=first, believed=event_id)
    ]
    next_after = None
    if len(found) > query.limit:
        learned_ms, event_id = position_of(observations[-1])
        number = first + query.limit
        next_after = {"learned_ms": str(learned_ms), "event_id": event_id, "number": str(number)}
    return FactHistory(items=items, next_cursor=query.next_cursor(next_after))


def read_fact(
    owner: Owner, key: str, *, now: datetime, facts: FactReader, traces: EventTraceReader | None
) -> tuple[ExplainedFact, int]:
    """Return the fact with its present confidence, and its revision.

    With `traces` it comes with an explanation, at the cost of a read of its recent history and two of its
    event.
    """
    fact, revision = facts.get_versioned_fact(owner, key)
    explanation = None
    if traces:
        recent = facts.list_observation_range(
            owner, key, beyond=None, limit=EXPLAINED_OBSERVATIONS_MAX, backwards=True
        )
        trace = traces.find_trace(owner, fact.provenance.event_id)
        explanation = build_explanation(fact, recent, trace)
    return ExplainedFact(**dict(fact.with_confidence_at(now)), explanation=explanation), revision
