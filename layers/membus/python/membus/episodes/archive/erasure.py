"""Erasure of a user's rows in the archive: objects are written again without them, older versions removed."""

from collections import Counter
from typing import TYPE_CHECKING

import duckdb

from membus.aws.s3 import ObjectVersion, S3ObjectVersions
from membus.core.clock import EARLIEST, LATEST
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.errors import ConflictError, CorruptArchiveError
from membus.core.identity import Owner
from membus.episodes.archive.parquet import DuckDbParquet, RowSpan
from membus.episodes.archive.s3 import parquet_file
from membus.episodes.erasure import EventEraser
from membus.episodes.model import EpisodeQuery
from membus.states.model import AgentSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from membus.episodes.archive.model import ArchiveObject, EpisodeRow
    from membus.episodes.archive.ports import ArchiveCatalog, ArchiveObjects

PAGE_ROWS = 2_000


class ArchiveEraser:
    """Every object of the tenant is opened, since users stand in rows; the cursor is the last one done.

    With `events` it erases these of a user alone, and leaves the states of their sessions.

    What a compaction merges meanwhile has the sort key of its last row, so it is ahead if any of it is.
    """

    name = "cold"

    def __init__(
        self,
        catalog: "ArchiveCatalog",
        objects: "ArchiveObjects",
        versions: S3ObjectVersions,
        traces: EventEraser,
        events: "Sequence[str]" = (),
    ) -> None:
        self._catalog, self._objects, self._versions, self._traces = catalog, objects, versions, traces
        self._events = frozenset(events)
        self._parquet = DuckDbParquet()

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        removed: Counter[str] = Counter()
        cursor = self._walk(owner, step, lambda kept: removed.update(self._remove_rows(owner, kept)))
        if cursor is None and step.settled:
            loose = self._loose_versions(owner)
            self._versions.delete_versions(loose)
            removed["cold_versions"] += len(loose)
        return ErasureCount(removed, cursor)

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        found: Counter[str] = Counter(cold_rows=0, cold_versions=0)
        cursor = self._walk(owner, step, lambda kept: found.update(cold_rows=len(self._rows(owner, kept))))
        if cursor is None:
            found["cold_versions"] += len(self._loose_versions(owner))
        return ErasureCount(found, cursor)

    def _walk(self, owner: Owner, step: ErasureStep, act: "Callable[[ArchiveObject], None]") -> str | None:
        """Call `act` with each object behind the cursor; return how far it came, None where all are done.

        An object that was merged with others meanwhile is in the catalog no longer: the walk goes on from
        before it.
        """
        done = step.cursor
        objects = sorted(self._catalog.list_objects(owner.tenant), key=lambda each: each.sort_key)
        for kept in (each for each in objects if each.sort_key > step.cursor):
            if kept.sort_key != done != step.cursor and not step.time_left():
                return done
            try:
                act(kept)
            except (CorruptArchiveError, ConflictError):
                if self._catalog.has_object(kept.object_key):
                    raise
                return done
            done = kept.sort_key
        return done if done != step.cursor and not step.time_left() else None

    def _remove_rows(self, owner: Owner, kept: "ArchiveObject") -> Counter[str]:
        """Replace an object that holds rows of the user by one without them.

        What else these rows left goes first: as long as they are there they say where it is.
        """
        rows = self._rows(owner, kept)
        if not rows:
            return Counter()
        sessions = (
            AgentSession(tenant=owner.tenant, agent=kept.agent, session_id=row.session_id)
            for row in rows
            if row.session_id and not self._events
        )
        removed = Counter(
            cold_rows=len(rows),
            cold_objects=1,
            event_identities=self._traces.forget_events(owner, (row.event_id for row in rows)),
            states=self._traces.delete_states(sessions),
            large_texts=sum(
                self._versions.purge_prefix(f"spill/{row.spilled}") for row in rows if row.spilled
            ),
        )
        self._replace(kept, self._merge_without(owner, kept))
        return removed

    def _merge_without(self, owner: Owner, kept: "ArchiveObject") -> "ArchiveObject | None":
        return self._objects.merge_objects(
            [kept], without_user=owner.user, without_events=sorted(self._events)
        )

    def _replace(self, kept: "ArchiveObject", new: "ArchiveObject | None") -> None:
        try:
            self._catalog.replace_objects([kept], new)
        except ConflictError:
            if new is not None and not self._catalog.has_object(new.object_key):
                self._objects.delete_object(new)
            raise
        self._versions.purge_prefix(kept.object_key)

    def _rows(self, owner: Owner, kept: "ArchiveObject") -> "list[EpisodeRow]":
        wanted = EpisodeQuery(tenant=owner.tenant, user_id=owner.user, start=EARLIEST, end=LATEST)
        found: list[EpisodeRow] = []
        while True:
            rows = self._objects.read_rows(
                kept, wanted, after=found[-1].place if found else "", limit=PAGE_ROWS
            )
            found += rows
            if len(rows) < PAGE_ROWS:
                return [row for row in found if self._concerns(row)]

    def _concerns(self, row: "EpisodeRow") -> bool:
        return not self._events or row.event_id in self._events

    def _loose_versions(self, owner: Owner) -> list[ObjectVersion]:
        """Return the versions with rows of the user that no catalog names, as of merged objects."""
        named = {each.object_key for each in self._catalog.list_objects(owner.tenant)}
        return [
            each
            for page in list(self._versions.list_versions(f"{owner.tenant}/"))
            for each in page
            if not each.mark and not (each.current and each.key in named) and self._holds(each, owner)
        ]

    def _holds(self, version: ObjectVersion, owner: Owner) -> bool:
        """Return whether a version holds rows of the user; one that cannot be read may, and is of no use."""
        body = self._versions.read_body(version)
        if body is None:
            return False
        try:
            with parquet_file(body) as path:
                span = RowSpan(user_id=owner.user) if self._events else RowSpan(user_id=owner.user, limit=1)
                return any(map(self._concerns, self._parquet.read_rows(path, span)))
        except duckdb.Error:
            return True
