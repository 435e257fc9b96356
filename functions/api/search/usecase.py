"""Search: every kind of memory in one call; with less to go by it answers less, and says so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from functions.api.facts.usecase import facts_as_of
from functions.api.search.schemas import ScoreExplanation, SearchIn, SearchResult, SearchResults
from membus.conversations.ports import ConversationStore
from membus.core.clock import Clock
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import BudgetError, UnavailableError
from membus.core.identity import Owner
from membus.core.tokens import estimate_tokens
from membus.episodes.ports import RecentEvents
from membus.facts.fact import Fact
from membus.facts.ports import FactReader
from membus.llm.ports import EmbeddingModel, Vector
from membus.search.filters import parse_filter
from membus.search.memory_projection import project_event, project_fact
from membus.search.model import Memory, memory_scope
from membus.search.ports import MemoryIndex
from membus.search.query import SearchQuery, parse_query
from membus.search.ranking import RankedPassage, rank_passages
from membus.search.retrieval import PassageRow, SearchCandidates, SearchScope, index_entry, search_entries

RECENT_EVENTS = 100


@dataclass(frozen=True)
class MemorySearcher:
    """A query is embedded anew: to look for its vector in the index would cost each search a transaction."""

    index: MemoryIndex
    embedder: EmbeddingModel
    facts: FactReader
    conversations: ConversationStore
    recent: RecentEvents
    clock: Clock

    def search_memories(self, tenant: str, asked: SearchIn, *, hidden: SubjectsBeingErased) -> SearchResults:
        now = self.clock()
        within, query = (
            _search_scope(tenant, asked, now, hidden),
            parse_query(asked.query, now=(asked.as_of or now).date()),
        )
        vector = None if asked.mode == "text" else self._vector(query)
        blind = vector is None and asked.mode != "text"
        if asked.mode == "vector" and vector is not None:
            query = replace(query, terms=())
        try:
            found, away = self.index.search(within, terms=query.terms, vector=vector), False
        except UnavailableError:
            found, away = self._at_hand(within, asked.user_id, query), True
        terms, away_with = frozenset(query.terms), self._retold(found, hidden)

        def may_answer(row: PassageRow) -> bool:
            """What stands beside a candidate is ranked with it, and may not be shown."""
            if row.group_id in away_with:
                return False
            return row.id in found.about and (asked.mode != "text" or not terms.isdisjoint(row.stems.split()))

        shown = rank_passages(query, found.rows, found.scope, limit=asked.k, may_answer=may_answer)
        return SearchResults(
            results=_fitting_results(shown, found, asked), degraded=away or blind, pending=found.pending
        )

    def _retold(self, found: SearchCandidates, hidden: SubjectsBeingErased) -> set[str]:
        """Return the summaries that may tell of somebody hidden.

        Those of conversations that they take part in.
        """
        if not hidden.users:
            return set()
        told = {
            about.memory_id: about.source.conversation_id
            for about in found.about.values()
            if about.kind == "summary" and about.source.conversation_id
        }
        theirs = self.conversations.filter_by_participant(
            hidden.tenant, list(dict.fromkeys(told.values())), hidden.users
        )
        return {memory_id for memory_id, where in told.items() if where in theirs}

    def _vector(self, query: SearchQuery) -> Vector | None:
        try:
            return self.embedder.embed_texts([query.text]).vectors.get(query.text)
        except BudgetError:
            return None  # words cost nothing

    def _at_hand(self, within: SearchScope, user_id: str | None, query: SearchQuery) -> SearchCandidates:
        """Search what DynamoDB has of the user: the profile and what happened lately, by words alone."""
        memories = (
            self._remembered(Owner(tenant=within.tenant_id, user=user_id), within.as_of) if user_id else []
        )
        entries = [index_entry(memory) for memory in memories if within.can_see(memory)]
        return search_entries(entries, terms=query.terms, similarity=lambda _: None)

    def _facts(self, owner: Owner, as_of: datetime | None) -> Sequence[Fact]:
        return (
            facts_as_of(owner, true_at=as_of, facts=self.facts)
            if as_of
            else self.facts.get_profile(owner).facts
        )

    def _remembered(self, owner: Owner, as_of: datetime | None) -> list[Memory]:
        facts = [project_fact(owner, fact) for fact in self._facts(owner, as_of)]
        events = self.recent.list_recent_events(owner, limit=RECENT_EVENTS)
        return [*facts, *(memory for event in events for memory in project_event(event))]


def _search_scope(tenant: str, asked: SearchIn, now: datetime, hidden: SubjectsBeingErased) -> SearchScope:
    return SearchScope(
        tenant_id=tenant,
        now=now,
        scope=memory_scope(asked.user_id, None) if asked.user_id else None,
        agent_id=asked.agent_id,
        session=asked.session_id,
        kinds=tuple(asked.kinds),
        filter=parse_filter(asked.filters),
        since=asked.since,
        until=asked.until,
        as_of=asked.as_of,
        without=hidden.users,
    )


def _fitting_results(
    ranked: Sequence[RankedPassage], found: SearchCandidates, asked: SearchIn
) -> list[SearchResult]:
    """Return the best results that fit `max_tokens` together; one too long makes room for the next."""
    results: list[SearchResult] = []
    left = asked.max_tokens
    for each in ranked:
        cost = estimate_tokens(each.row.text)
        if left is not None and cost > left:
            continue
        left = None if left is None else left - cost
        results.append(_search_result(each, found, explain=asked.explain))
    return results


def _search_result(ranked: RankedPassage, found: SearchCandidates, *, explain: bool) -> SearchResult:
    row, about = ranked.row, found.about[ranked.row.id]
    return SearchResult(
        id=about.memory_id,
        kind=about.kind,
        text=row.text,
        score=min(1.0, max(0.0, ranked.score)),
        occurred_at=row.occurred_at,
        source=about.source,
        metadata=dict(about.metadata),
        explain=ScoreExplanation(parts=ranked.parts, matched=list(ranked.matched)) if explain else None,
    )
