"""What a search may see and what a store finds, before ranking; and a search over a few memories."""

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
    """One passage; a tuple, because a search makes hundreds.

    Messages that follow each other have `position`s that do; "" is no session. `group_id` is the message,
    event, fact or document of the passage. `similarity` is the cosine to the query, None in a search by
    words. `message_length` counts the stems of all passages of the message.
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
    """Figures over every row that the search may see; for similarities a sample of some 500 rows will do."""

    rows: int
    average_length: float
    frequencies: Mapping[str, int]
    similarity_mean: float = 0.0
    similarity_deviation: float = 1.0


class CandidateRows:
    """The rows of one search with their stems, grouped by indices.

    `sittings` groups them by session and day, `sessions` by session and position; a row without a session is
    a sitting of its own, and in no session.
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
    """Return the sitting of a row: its session and day, or the row's group where it has no session."""
    return (row.session, row.occurred_at.date()) if row.session else ("", row.group_id)


def _grouped(keys: Sequence[GroupKey]) -> dict[GroupKey, list[int]]:
    groups: dict[GroupKey, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    return groups


NEIGHBOURS = 2
"""Messages to either side of a candidate that help to judge it, each by its first passage (ADR 41)."""
EARLIER_PART_OFFSET = 100
"""The distance of the passage numbers of earlier values; no value of a fact has as many passages."""


@dataclass(frozen=True)
class IndexEntry:
    """A memory and its passages; `earlier` are those of its former values, oldest first."""

    memory: Memory
    passages: tuple[Passage, ...]
    earlier: tuple["IndexEntry", ...] = ()

    @property
    def all_versions(self) -> "tuple[IndexEntry, ...]":
        return (self, *self.earlier)

    @property
    def stem_count(self) -> int:
        """The number of stems of all passages."""
        return sum(passage.length for passage in self.passages)


@dataclass(frozen=True)
class SearchScope:
    """The conditions that a memory must meet to be seen by a search; None is no condition.

    `now` decides what has expired. `as_of` asks for what had happened and was true at that moment, values
    that were replaced since included. A memory is in `scope`, or in one of `scopes`. `without` names users
    whose memories are left out.
    """

    tenant_id: str
    now: datetime
    scope: str | None = None
    scopes: tuple[str, ...] = ()
    agent_id: str | None = None
    session: str | None = None
    kinds: tuple[MemoryKind, ...] = ()
    filter: Filter | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    without: frozenset[str] = frozenset()

    def can_see(self, memory: Memory) -> bool:
        """Whether the memory may be seen; a fact may be by every agent."""
        return (
            memory.tenant_id == self.tenant_id
            and is_live(memory.expires_at, self.now)
            and self.scope in {None, memory.scope}
            and (not self.scopes or memory.scope in self.scopes)
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
    """What is known of a passage's memory besides its text."""

    memory_id: str
    kind: MemoryKind
    source: MemorySource
    metadata: Mapping[str, Any]
    agent_id: str | None = None


@dataclass(frozen=True)
class SearchCandidates:
    """Candidates and their neighbours, with the statistics of all that was searched.

    `about` has only passages that the search may see; the others are neighbours, which are not shown.
    `pending` counts the texts of the scope without a vector; None where the search named no scope.
    """

    scope: ScopeStatistics
    rows: tuple[PassageRow, ...]
    about: Mapping[str, PassageMetadata]
    pending: int | None = None


def index_entry(memory: Memory) -> IndexEntry:
    """Cut the memory into passages; those of earlier values are numbered from 100, 200 and so on."""
    earlier = tuple(
        IndexEntry(one, _cut_passages(one, first_part=number * EARLIER_PART_OFFSET))
        for number, one in enumerate(memory.earlier, start=1)
    )
    return IndexEntry(memory, _cut_passages(memory), earlier)


def _cut_passages(memory: Memory, *, first_part: int = 0) -> tuple[Passage, ...]:
    passages = index_passages(memory.text, speaker=memory.speaker)
    return tuple(replace(passage, part=first_part + passage.part) for passage in passages)


def passage_id(memory: Memory, passage: Passage) -> str:
    return f"{memory.memory_id}#{passage.part}"


def search_entries(
    entries: Sequence[IndexEntry], *, terms: Sequence[str], similarity: Callable[[str], float | None]
) -> SearchCandidates:
    """Return what an index of just these memories would; `similarity` returns that of an embedded text."""
    positions = _session_positions(entry.memory for entry in entries)
    rows = [
        _entry_row(
            entry.memory,
            passage,
            length=entry.stem_count,
            position=positions[entry.memory.memory_id],
            similarity=similarity(passage.embedded_text),
        )
        for entry in entries
        for passage in entry.passages
    ]
    similarities = [row.similarity for row in rows if row.similarity is not None]
    stems = {row.id: frozenset(row.stems.split()) for row in rows}
    scope = ScopeStatistics(
        rows=len(rows),
        average_length=mean(len(row.stems.split()) for row in rows) if rows else 0.0,
        frequencies={term: sum(term in mine for mine in stems.values()) for term in terms},
        similarity_mean=mean(similarities) if similarities else 0.0,
        similarity_deviation=pstdev(similarities) if similarities else 0.0,
    )
    about = {
        row_id: PassageMetadata(
            entry.memory.memory_id,
            entry.memory.kind,
            entry.memory.source,
            entry.memory.metadata,
            entry.memory.agent_id,
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
    """Order messages of one moment by their ids, the tenth after the second."""
    return memory.occurred_at, len(memory.memory_id), memory.memory_id


def _session_positions(memories: Iterable[Memory]) -> dict[str, int]:
    """Return the position of each memory in its session, from 1; 0 where it has none."""
    sessions: dict[tuple[str, str], list[Memory]] = defaultdict(list)
    positions: dict[str, int] = {}
    for memory in memories:
        positions[memory.memory_id] = 0
        if memory.session:
            sessions[memory.scope, memory.session].append(memory)
    for members in sessions.values():
        ordered = sorted(members, key=_speech_order)
        positions |= {memory.memory_id: number for number, memory in enumerate(ordered, start=1)}
    return positions
