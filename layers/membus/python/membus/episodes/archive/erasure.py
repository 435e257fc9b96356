"""A user's rows in the cold tier.

Objects written again without them, and every version that holds them removed.
"""

from collections import Counter
from collections.abc import Callable
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
    from membus.episodes.archive.model import ArchiveObject, EpisodeRow
    from membus.episodes.archive.ports import ArchiveCatalog, ArchiveObjects

PAGE_ROWS = 2_000
ObjectAction = Callable[[Owner, "ArchiveObject"], Counter[str]]


class ArchiveEraser:
    """Every object of the tenant is opened: a row's user stands inside.

    The cursor is the last place that is done.

    What a compaction merges meanwhile lies where its last row does, so ahead if any of it does.
    """

    name = "cold"

    def __init__(
        self,
        catalog: "ArchiveCatalog",
        objects: "ArchiveObjects",
        versions: S3ObjectVersions,
        traces: EventEraser,
    ) -> None:
        self._catalog, self._objects, self._versions, self._traces = catalog, objects, versions, traces
        self._parquet = DuckDbParquet()

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        removed: Counter[str] = Counter()
        further = self._walked(owner, step, removed, self._without)
        if further is None and step.settled:
            removed["cold_versions"] += self._unnamed(owner, remove=True)
        return ErasureCount(removed, further)

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        found: Counter[str] = Counter()
        further = self._walked(
            owner,
            step,
            found,
            lambda owner, kept: Counter(cold_rows=len(self._rows(owner, kept))),
        )
        if further is None:
            found["cold_versions"] += self._unnamed(owner, remove=False)
        return ErasureCount(found, further)

    def _walked(
        self,
        owner: Owner,
        step: ErasureStep,
        counts: Counter[str],
        does: ObjectAction,
    ) -> str | None:
        """Do something with each object behind the cursor; return how far it came, None where all are done.

        An object that was merged with others meanwhile is in the catalog no longer: the walk goes on from
        before it.
        """
        done = cursor = step.cursor
        objects = sorted(self._catalog.list_objects(owner.tenant), key=lambda each: each.sort_key)
        for kept in (each for each in objects if each.sort_key > cursor):
            if kept.sort_key != done != cursor and not step.time_left():
                return done
            try:
                counts.update(does(owner, kept))
            except (CorruptArchiveError, ConflictError):
                if self._catalog.has_object(kept.object_key):
                    raise
                return done
            done = kept.sort_key
        return done if done != cursor and not step.time_left() else None

    def _without(self, owner: Owner, kept: "ArchiveObject") -> Counter[str]:
        """Put an object without the user in the place of one that holds rows of them.

        What else these rows left goes first: as long as they are there they say where it is.
        """
        rows = self._rows(owner, kept)
        if not rows:
            return Counter()
        removed = Counter({"cold_rows": len(rows), "cold_objects": 1})
        removed["event_identities"] += self._traces.forget_events(
            owner.tenant, (row.event_id for row in rows)
        )
        sessions = (
            AgentSession(tenant=owner.tenant, agent=kept.agent, session_id=row.session_id)
            for row in rows
            if row.session_id
        )
        removed["states"] += self._traces.delete_states(sessions)
        removed["large_texts"] += sum(
            self._versions.purge_prefix(f"spill/{row.spilled}") for row in rows if row.spilled
        )
        self._exchange(kept, self._objects.merge_objects([kept], without_user=owner.user))
        return removed

    def _exchange(self, kept: "ArchiveObject", new: "ArchiveObject | None") -> None:
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
                return found

    def _unnamed(self, owner: Owner, *, remove: bool) -> int:
        """Return how many versions hold the user's rows that no catalog names.

        Of merged, replaced, dropped objects.
        """
        named = {each.object_key for each in self._catalog.list_objects(owner.tenant)}
        found = 0
        for page in list(self._versions.list_versions(f"{owner.tenant}/")):
            loose = [each for each in page if not each.mark and not (each.current and each.key in named)]
            theirs = [each for each in loose if self._holds(each, owner)]
            found += len(theirs)
            if remove:
                self._versions.delete_versions(theirs)
        return found

    def _holds(self, version: ObjectVersion, owner: Owner) -> bool:
        """Whether a version holds rows of the user; one that cannot be read may, and helps nobody."""
        body = self._versions.read_body(version)
        if body is None:
            return False
        try:
            with parquet_file(body) as path:
                return bool(self._parquet.read_rows(path, RowSpan(user_id=owner.user, limit=1)))
        except duckdb.Error:
            return True
