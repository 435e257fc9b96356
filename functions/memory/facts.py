"""What is known about a user: now, as of a moment, and how it came to be known."""

from dataclasses import dataclass
from datetime import datetime

from functions.memory.api import ExplainedFact, FactHistory, FactPage, ProfileOut
from functions.memory.cursors import read_cursor, write_cursor
from membus.domain.explaining import explain
from membus.domain.facts import Fact, as_of, by_key, fold, history
from membus.domain.identity import Owner
from membus.domain.tokens import estimate_tokens
from membus.errors import NotFoundError
from membus.ports.facts import FactReader
from membus.ports.sealer import Sealer
from membus.ports.traces import Traces


@dataclass(frozen=True)
class Then:
    """The moments that are asked about: when it was true, and when membus knew of it; None means now."""

    true_at: datetime | None
    known_at: datetime | None


def read_profile(owner: Owner, moment: datetime | None, *, now: datetime, facts: FactReader) -> ProfileOut:
    """Return the profile as it is, by one read, or as it was true at `moment`, from the history."""
    profile = facts.profile(owner)
    if moment:
        profile = profile.model_copy(
            update={"facts": tuple(facts_as_of(owner, true_at=moment, known_at=None, facts=facts))}
        )
    text = profile.text
    shown = [fact.at(moment or now) for fact in profile.facts]
    return ProfileOut(version=profile.version, facts=shown, text=text, tokens=estimate_tokens(text))


def list_facts(
    owner: Owner,
    *,
    kind: str | None,
    limit: int,
    cursor: str | None,
    now: datetime,
    facts: FactReader,
    sealer: Sealer,
) -> FactPage:
    query = f"facts\n{owner.tenant}\n{owner.user}\n{kind}"
    page = facts.page(owner, kind=kind, limit=limit, after=read_cursor(cursor, query=query, sealer=sealer))
    return FactPage(
        items=[fact.at(now) for fact in page.items], next_cursor=write_cursor(page.after, query=query, sealer=sealer)
    )


def list_facts_then(
    owner: Owner, then: Then, *, kind: str | None, limit: int, cursor: str | None, facts: FactReader, sealer: Sealer
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


def read_history(owner: Owner, key: str, *, facts: FactReader) -> FactHistory:
    versions = history(facts.observations(owner, key))
    if not versions:
        raise NotFoundError(f"nothing was ever known under {key}")
    return FactHistory(items=versions)


def read_fact(owner: Owner, key: str, *, now: datetime, facts: FactReader) -> ExplainedFact:
    """Return the fact as sure as it still is."""
    return ExplainedFact(**dict(facts.fact(owner, key).at(now)))


def explain_fact(owner: Owner, key: str, *, now: datetime, facts: FactReader, traces: Traces) -> ExplainedFact:
    """Return the fact and why it is believed, by a read of its history and two of its event."""
    fact = facts.fact(owner, key)
    trace = traces.trace(owner.tenant, fact.provenance.event_id)
    explanation = explain(fact, facts.observations(owner, key), trace)
    return ExplainedFact(**dict(fact.at(now)), explanation=explanation)


def facts_as_of(
    owner: Owner, *, true_at: datetime | None, known_at: datetime | None = None, facts: FactReader
) -> list[Fact]:
    seen = as_of(facts.observations(owner), true_at=true_at, known_at=known_at)
    folded = (fold(of_key) for of_key in by_key(seen).values())
    return sorted((fact for fact in folded if fact and not fact.retracted), key=lambda fact: fact.key)
