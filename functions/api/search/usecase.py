"""Search over every kind of memory; what it cannot reach it leaves out, and says so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from functions.api.facts.usecase import facts_as_of
from functions.api.search.schemas import ScoreExplanation, SearchIn, SearchResult, SearchResults
from membus.conversations.ports import ConversationStore
from membus.conversations.recall import RecalledPassage
from membus.core.clock import Clock
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import BudgetError, UnavailableError
from membus.core.event import DEFAULT_AGENT
from membus.core.identity import Owner
from membus.core.tokens import estimate_tokens
from membus.episodes.ports import RecentEvents
from membus.facts.ports import FactReader
from membus.llm.ports import EmbeddingModel, Vector
from membus.search.filters import parse_filter
from membus.search.memory_projection import project_event, project_fact
from membus.search.model import SHARED_SCOPE, Memory, memory_scope
from membus.search.ports import MemoryIndex
from membus.search.query import SearchQuery, parse_query
from membus.search.ranking import RankedPassage, rank_passages
from membus.search.retrieval import (
    PassageMetadata,
    PassageRow,
    SearchCandidates,
    SearchScope,
    index_entry,
    search_entries,
)
from membus.tenants.settings import SettingsReader

RECENT_EVENTS = 100


@dataclass(frozen=True)
class MemorySearcher:
    """Searches the index, or where it is away, what DynamoDB has of the user.

    Each query is embedded: to look for its vector in the index would cost a transaction.
    """

    index: MemoryIndex
    embedder: EmbeddingModel
    facts: FactReader
    conversations: ConversationStore
    settings: SettingsReader
    recent: RecentEvents
    clock: Clock

    def search_memories(
        self, tenant: str, asked: SearchIn, *, hidden: SubjectsBeingErased, reader: str | None = None
    ) -> SearchResults:
        """Return the best results of the scope, and of the documents that everybody of the tenant may read.

        `reader` is the agent that asks. It also sees its own documents, and none of the documents and episodes
        of other agents, unless the tenant has them shared.
        """
        is_shared = self.settings.get_settings(tenant).settings.shares_agents if reader else False
        now = self.clock()
        scope = _search_scope(tenant, asked, now, hidden)
        query = parse_query(asked.query, now=(asked.as_of or now).date())
        vector = None if asked.mode == "text" else self._embed_query(query)
        degraded = vector is None and asked.mode != "text"
        if asked.mode == "vector" and vector is not None:
            query = replace(query, terms=())
        try:
            found = self.index.search(scope, terms=query.terms, vector=vector)
        except UnavailableError:
            found, degraded = self._search_without_index(scope, asked.user_id, query), True
        terms, left_out = frozenset(query.terms), self._find_hidden_summaries(found, hidden)

        def may_answer(of: SearchCandidates, row: PassageRow) -> bool:
            """Whether a passage may be shown; neighbours of candidates are ranked, but not shown."""
            if row.group_id in left_out or row.id not in of.about:
                return False
            if reader and not is_shared and not _may_read(of.about[row.id], reader):
                return False
            return asked.mode != "text" or not terms.isdisjoint(row.stems.split())

        shared = self._search_shared(scope, asked, reader, query, vector)
        ranked = [
            (each, of)
            for of in (found, shared)
            if of is not None
            for each in rank_passages(
                query, of.rows, of.scope, limit=asked.k, may_answer=partial(may_answer, of)
            )
        ]
        best = sorted(ranked, key=lambda each: each[0].score, reverse=True)[: asked.k]
        return SearchResults(results=_fitting_results(best, asked), degraded=degraded, pending=found.pending)

    def _search_shared(
        self,
        scope: SearchScope,
        asked: SearchIn,
        reader: str | None,
        query: SearchQuery,
        vector: Vector | None,
    ) -> SearchCandidates | None:
        """Search the documents of nobody, and of the agent, beside a user's memory.

        Returns None where the search asks for no documents, or the index is away, which the search of the
        user's memory reports: DynamoDB lists no documents of nobody.
        """
        if asked.user_id is None or asked.session_id or (asked.kinds and "document" not in asked.kinds):
            return None
        agent = reader or asked.agent_id
        scopes = (SHARED_SCOPE, *([memory_scope(None, agent)] if agent else []))
        shared = replace(scope, scope=None, scopes=scopes, agent_id=None, kinds=("document",))
        try:
            return self.index.search(shared, terms=query.terms, vector=vector)
        except UnavailableError:
            return None

    def _find_hidden_summaries(self, found: SearchCandidates, hidden: SubjectsBeingErased) -> set[str]:
        """Return the summaries of conversations in which a user who is being erased takes part."""
        if not hidden.users:
            return set()
        summaries = {
            about.memory_id: about.source.conversation_id
            for about in found.about.values()
            if about.kind == "summary" and about.source.conversation_id
        }
        conversations = list(dict.fromkeys(summaries.values()))
        theirs = self.conversations.filter_by_participant(hidden.tenant, conversations, hidden.users)
        return {memory_id for memory_id, conversation in summaries.items() if conversation in theirs}

    def _embed_query(self, query: SearchQuery) -> Vector | None:
        try:
            return self.embedder.embed_texts([query.text]).vectors.get(query.text)
        except BudgetError:
            return None  # words cost nothing

    def _search_without_index(
        self, scope: SearchScope, user_id: str | None, query: SearchQuery
    ) -> SearchCandidates:
        """Search the profile and the recent events of the user by words alone."""
        memories = (
            self._list_memories(Owner(tenant=scope.tenant_id, user=user_id), scope.as_of) if user_id else []
        )
        entries = [index_entry(memory) for memory in memories if scope.can_see(memory)]
        return search_entries(entries, terms=query.terms, similarity=lambda _: None)

    def _list_memories(self, owner: Owner, as_of: datetime | None) -> list[Memory]:
        facts = (
            facts_as_of(owner, true_at=as_of, facts=self.facts)
            if as_of
            else self.facts.get_profile(owner).as_of(self.clock()).facts
        )
        events = self.recent.list_recent_events(owner, limit=RECENT_EVENTS)
        return [
            *(project_fact(owner, fact) for fact in facts),
            *(memory for event in events for memory in project_event(event)),
        ]


def recalled_passages(found: SearchResults) -> list[RecalledPassage]:
    """Return the results as passages of a prompt, in their order."""
    fields = set(RecalledPassage.model_fields)
    return [RecalledPassage(memory_id=each.id, **each.model_dump(include=fields)) for each in found.results]


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


def _may_read(about: PassageMetadata, reader: str) -> bool:
    """Whether an agent may read a memory: what no agent keeps, its own, and the user's facts and summaries."""
    return about.kind in {"fact", "summary"} or about.agent_id in {None, DEFAULT_AGENT, reader}


def _fitting_results(
    ranked: Sequence[tuple[RankedPassage, SearchCandidates]], asked: SearchIn
) -> list[SearchResult]:
    """Return the best results that fit `max_tokens` together; one that is too long is skipped."""
    results: list[SearchResult] = []
    tokens_left = asked.max_tokens
    for each, found in ranked:
        tokens = estimate_tokens(each.row.text)
        if tokens_left is not None:
            if tokens > tokens_left:
                continue
            tokens_left -= tokens
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
