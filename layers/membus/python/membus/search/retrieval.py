"""What a search may see and what it finds, before anything is ranked; and the same over memories at hand.

What a store hands to the ranking.

Passages that may answer, those said beside them, and figures of their scope.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import mean, pstdev
from typing import Any, NamedTuple, TypeVar

from membus.core.identity import MemorySource
from membus.search.filters import Filter, matches_filter
from membus.search.model import Memory, MemoryKind, is_live, memory_scope
from membus.search.passages import Passage, index_passages

FeatureColumns = dict[str, list[float]]
GroupKey = TypeVar("GroupKey")


class PassageRow(NamedTuple):
    """One passage. Messages said one after the other have positions that follow; "" as session stands alone.

    `group_id` is the message, event, fact or document that the passage is part of; `similarity` is the cosine
    to the question, None where the search is by words alone; `message_length` counts the stems of all
    passages together. A tuple, for hundreds are made in a search.
    """

    id: str
    group_id: str
    session: str
    position: int
    part: int
    speaker: str | None
    occurred_at: datetime
    text: str
    stems: str
    message_length: int
    similarity: float | None


@dataclass(frozen=True)
class ScopeStatistics:
    """Figures over every row that the search may see.

    A sample of some 500 rows serves as well for the last two.
    """

    rows: int
    average_length: float
    frequencies: Mapping[str, int]
    similarity_mean: float = 0.0
    similarity_deviation: float = 1.0


class CandidateRows:
    """The rows of one search with their ties, each as the indices of the rows that share it.

    `stems` of each row in their order; `sittings` by session and day, `sessions` by session and position in
    it; what stands alone is in no session.
    """

    def __init__(self, rows: Sequence[PassageRow]) -> None:
        self.rows = rows
        self.stems = [row.stems.split() for row in rows]
        self.lengths = [len(stems) for stems in self.stems]
        self.sittings = _grouped([sitting_key(row) for row in rows])
        self.sessions: dict[str, dict[int, list[int]]] = defaultdict(dict)
        for index, row in enumerate(rows):
            if row.session:
                self.sessions[row.session].setdefault(row.position, []).append(index)


def sitting_key(row: PassageRow) -> tuple[str, object]:
    """A session that goes on for weeks is as many sittings as it has days.

    What has no session stands alone.
    """
    return (row.session, row.occurred_at.date()) if row.session else ("", row.group_id)


def _grouped(keys: Sequence[GroupKey]) -> dict[GroupKey, list[int]]:
    groups: dict[GroupKey, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    return groups


NEIGHBOURS = 2
"""So many messages to either side of what was found help to judge it, each by its first passage (ADR 41)."""
EARLIER_PART_OFFSET = 100
"""No value of a fact has as many passages."""


@dataclass(frozen=True)
class IndexEntry:
    """A memory and the passages it is found by; `earlier` is what the memory said before, oldest first."""

    memory: Memory
    passages: tuple[Passage, ...]
    earlier: tuple["IndexEntry", ...] = ()

    @property
    def all_versions(self) -> "tuple[IndexEntry, ...]":
        return (self, *self.earlier)

    @property
    def stem_count(self) -> int:
        """The stems of all its passages together."""
        return sum(passage.length for passage in self.passages)


@dataclass(frozen=True)
class SearchScope:
    """Which memories a search may see. `now` decides what has expired; None anywhere asks for everything.

    `as_of` asks for what was true at that moment: what had happened by then, values that were replaced since.
    `without` names users of whom nothing may be seen.
    """

    tenant_id: str
    now: datetime
    scope: str | None = None
    agent_id: str | None = None
    session: str | None = None
    kinds: tuple[MemoryKind, ...] = ()
    filter: Filter | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    without: frozenset[str] = frozenset()

    def can_see(self, memory: Memory) -> bool:
        """Whether the memory may be seen; every agent knows the facts."""
        return (
            memory.tenant_id == self.tenant_id
            and is_live(memory.expires_at, self.now)
            and self.scope in {None, memory.scope}
            and memory.scope not in {memory_scope(user, None) for user in self.without}
            and (self.agent_id in {None, memory.agent_id} or memory.kind == "fact")
            and self.session in {None, memory.session}
            and (not self.kinds or memory.kind in self.kinds)
            and (self.since is None or memory.occurred_at >= self.since)
            and (self.until is None or memory.occurred_at <= self.until)
            and self._is_true(memory)
            and matches_filter(self.filter, memory.metadata)
        )

    def _is_true(self, memory: Memory) -> bool:
        if self.as_of is None:
            return memory.valid_until is None
        return memory.occurred_at <= self.as_of and is_live(memory.valid_until, self.as_of)


@dataclass(frozen=True)
class PassageMetadata:
    """What the memory of a passage says besides its words."""

    memory_id: str
    kind: MemoryKind
    source: MemorySource
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class SearchCandidates:
    """Candidates and the passages beside them, with the statistics of all that was searched.

    `about` knows only what the search may see: what stands beside a candidate helps to judge it, and no more.
    `pending` counts the texts of the whole scope that have no vector yet; None where no scope was asked.
    """

    scope: ScopeStatistics
    rows: tuple[PassageRow, ...]
    about: Mapping[str, PassageMetadata]
    pending: int | None = None


def index_entry(memory: Memory) -> IndexEntry:
    """Cut the memory into passages.

    Those of earlier values are numbered from a hundred, two hundred and so on.
    """
    earlier = tuple(
        IndexEntry(
            one,
            tuple(
                replace(passage, part=number * EARLIER_PART_OFFSET + passage.part)
                for passage in _passages(one)
            ),
        )
        for number, one in enumerate(memory.earlier, start=1)
    )
    return IndexEntry(memory, _passages(memory), earlier)


def _passages(memory: Memory) -> tuple[Passage, ...]:
    return tuple(index_passages(memory.text, speaker=memory.speaker))


def passage_id(memory: Memory, passage: Passage) -> str:
    return f"{memory.memory_id}#{passage.part}"


def search_entries(
    entries: Sequence[IndexEntry], *, terms: Sequence[str], similarity: Callable[[str], float | None]
) -> SearchCandidates:
    """Return what an index would that held just these memories; `similarity` judges an embedded text."""
    places = _session_positions(entry.memory for entry in entries)
    rows = [
        _entry_row(
            entry.memory,
            passage,
            length=entry.stem_count,
            position=places[entry.memory.memory_id],
            similarity=similarity(passage.embedded_text),
        )
        for entry in entries
        for passage in entry.passages
    ]
    close = [row.similarity for row in rows if row.similarity is not None]
    stems = {row.id: frozenset(row.stems.split()) for row in rows}
    scope = ScopeStatistics(
        rows=len(rows),
        average_length=mean(len(row.stems.split()) for row in rows) if rows else 0.0,
        frequencies={term: sum(term in mine for mine in stems.values()) for term in terms},
        similarity_mean=mean(close) if close else 0.0,
        similarity_deviation=pstdev(close) if close else 0.0,
    )
    about = {
        row_id: PassageMetadata(
            entry.memory.memory_id, entry.memory.kind, entry.memory.source, entry.memory.metadata
        )
        for entry in entries
        for row_id in (passage_id(entry.memory, passage) for passage in entry.passages)
    }
    return SearchCandidates(scope, tuple(rows), about)


def _entry_row(
    memory: Memory, passage: Passage, *, length: int, position: int, similarity: float | None
) -> PassageRow:
    return PassageRow(
        id=passage_id(memory, passage),
        group_id=memory.memory_id,
        position=position,
        part=passage.part % EARLIER_PART_OFFSET if memory.valid_until else passage.part,
        session=f"{memory.scope} {memory.session}" if memory.session else "",
        speaker=memory.speaker,
        occurred_at=memory.occurred_at,
        text=passage.text,
        stems=passage.stems,
        message_length=length,
        similarity=similarity,
    )


def _speech_order(memory: Memory) -> tuple[datetime, int, str]:
    """Order what was said in one moment by its ids, the tenth behind the second."""
    return memory.occurred_at, len(memory.memory_id), memory.memory_id


def _session_positions(memories: Iterable[Memory]) -> dict[str, int]:
    """Return the place of each memory in its session, from 1; what stands alone has 0."""
    sessions: dict[tuple[str, str], list[Memory]] = defaultdict(list)
    places: dict[str, int] = {}
    for memory in memories:
        if memory.session:
            sessions[memory.scope, memory.session].append(memory)
        else:
            places[memory.memory_id] = 0
    for sitting in sessions.values():
        ordered = sorted(sitting, key=_speech_order)
        places |= {memory.memory_id: place for place, memory in enumerate(ordered, start=1)}
    return places
