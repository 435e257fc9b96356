"""Episodes read from the archive, and episodes of both tiers merged in time order under one cursor."""

import json
from collections.abc import Callable
from typing import TypeVar

from membus.core.blobs import BlobStore
from membus.core.clock import Clock
from membus.core.errors import CorruptArchiveError
from membus.core.pages import Page
from membus.episodes.archive.model import ArchiveObject, EpisodeRow
from membus.episodes.archive.ports import ArchiveCatalog, ArchiveObjects
from membus.episodes.dynamodb import load_recorded
from membus.episodes.model import (
    TIME_LETTERS,
    Episode,
    EpisodeQuery,
    count_fitting,
    mark_before,
    moment_of,
    place_of,
)
from membus.episodes.ports import EpisodeReader

PAGE_OBJECTS_MAX = 20
"""Objects read for one page; then the page ends, whatever was found so far."""
READ_ATTEMPTS = 3
T = TypeVar("T")


def read_current_objects(catalog: ArchiveCatalog, read: Callable[[], T]) -> T:
    """Return the result of `read`, again where an object was merged after the catalog named it."""
    for _ in range(READ_ATTEMPTS - 1):
        try:
            return read()
        except CorruptArchiveError as missing:
            if catalog.has_object(missing.key):
                raise
    return read()


class ArchivedEpisodes:
    """Reads episodes that have left DynamoDB; objects whose episodes are all still there are skipped.

    `objects` is a function: a process that reads recent episodes only never loads the Parquet engine.
    """

    def __init__(
        self,
        catalog: ArchiveCatalog,
        objects: Callable[[], ArchiveObjects],
        contents: BlobStore,
        clock: Clock,
    ) -> None:
        self._catalog, self._objects, self._contents, self._clock = catalog, objects, contents, clock

    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
        return read_current_objects(self._catalog, lambda: self._read_page(wanted, limit=limit, after=after))

    def _read_page(self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None) -> Page[Episode]:
        mark, end = after["mark"] if after else mark_before(wanted.start), mark_before(wanted.end)
        rows: dict[str, EpisodeRow] = {}
        complete = end
        for count, each in enumerate(self._list_objects(wanted, mark, end)):
            begins = each.first[:TIME_LETTERS]
            # Objects overlap: a page is full once no later object can hold a row of it.
            full = count >= PAGE_OBJECTS_MAX or sum(place < begins for place in rows) > limit
            if begins > mark and full:
                complete = begins
                break
            found = self._objects().read_rows(each, wanted, after=mark, limit=limit + 1)
            rows |= {row.place: row for row in found}
        ordered = [rows[place] for place in sorted(rows) if place < complete]
        many = count_fitting([len(row.body.encode()) + row.spilled_bytes for row in ordered], limit)
        if many < len(ordered):
            complete = ordered[many - 1].place
        return Page(tuple(map(self._episode, ordered[:many])), {"mark": complete} if complete < end else None)

    def _list_objects(self, wanted: EpisodeQuery, mark: str, end: str) -> list[ArchiveObject]:
        since, until = moment_of(mark).date(), moment_of(end).date()
        now = self._clock()
        objects = (
            each
            for each in self._catalog.list_objects(wanted.tenant, wanted.agent, since=since, until=until)
            if each.last > mark
            and each.first < end
            and each.hot_until <= now
            and wanted.shows_agent(each.agent)
        )
        return sorted(objects, key=lambda each: each.first)

    def _episode(self, row: EpisodeRow) -> Episode:
        recorded = load_recorded(row.model_dump(exclude_none=True), self._contents)
        return Episode(event=recorded.event, learned_at=recorded.learned_at, tier="cold")


class TieredEpisodes:
    """Merges both tiers, each episode once; their readers take the same cursors."""

    def __init__(self, hot: EpisodeReader, cold: EpisodeReader) -> None:
        self._hot, self._cold = hot, cold

    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
        end = mark_before(wanted.end)
        # Hot first: an episode that expires between the two reads is then in both, never in neither.
        pages = [reader.list_episodes(wanted, limit=limit, after=after) for reader in (self._hot, self._cold)]
        complete = min(page.after["mark"] if page.after else end for page in pages)
        merged = {place_of(each.event): each for page in reversed(pages) for each in page.items}
        places = [place for place in sorted(merged) if place <= complete]
        many = count_fitting([_count_bytes(merged[place]) for place in places], limit)
        if many < len(places):
            complete = places[many - 1]
        items = tuple(merged[place] for place in places[:many])
        return Page(items, {"mark": complete} if complete < end else None)


def _count_bytes(episode: Episode) -> int:
    return len(json.dumps(episode.event.payload, ensure_ascii=False).encode())
