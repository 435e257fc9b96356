"""Episodes read from the cold tier.

The catalog names the objects of a range, and each is read for what is wanted.

Episodes of both tiers as one: merged in time order under one cursor, each once, the nearer copy first.
"""

import json
from collections.abc import Callable

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
"""Objects read for one page; then the caller gets what was found so far and comes back for more."""
READ_ATTEMPTS = 3


class ArchivedEpisodes:
    """The reader of what has left DynamoDB; objects whose episodes are all still there are passed over.

    `objects` is a function: a process that reads recent episodes only never loads what reads Parquet.
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
        """Read anew where an object was merged with others between the catalog and its reading."""
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return self._page(wanted, limit=limit, after=after)
            except CorruptArchiveError as missing:
                if self._catalog.has_object(missing.key):
                    raise
        return self._page(wanted, limit=limit, after=after)

    def _page(self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None) -> Page[Episode]:
        mark, end = after["mark"] if after else mark_before(wanted.start), mark_before(wanted.end)
        rows: dict[str, EpisodeRow] = {}
        complete = end
        for count, each in enumerate(self._candidates(wanted, mark, end)):
            begins = each.first[:TIME_LETTERS]
            if begins > mark and (count >= PAGE_OBJECTS_MAX or _is_complete(rows, limit, begins)):
                complete = begins
                break
            found = self._objects().read_rows(each, wanted, after=mark, limit=limit + 1)
            rows |= {row.place: row for row in found}
        return self._cut(rows, complete, end, limit)

    def _candidates(self, wanted: EpisodeQuery, mark: str, end: str) -> list[ArchiveObject]:
        since, until = (moment_of(border).date() for border in (mark, end))
        objects = self._catalog.list_objects(wanted.tenant, wanted.agent, since=since, until=until)
        now = self._clock()
        reached = (
            each for each in objects if each.last > mark and each.first < end and each.hot_until <= now
        )
        return sorted(reached, key=lambda each: each.first)

    def _cut(self, rows: dict[str, EpisodeRow], complete: str, end: str, limit: int) -> Page[Episode]:
        ordered = [rows[place] for place in sorted(rows) if place < complete]
        many = count_fitting([len(row.body.encode()) + row.spilled_bytes for row in ordered], limit)
        if many < len(ordered):
            complete = ordered[many - 1].place
        return Page(tuple(map(self._episode, ordered[:many])), {"mark": complete} if complete < end else None)

    def _episode(self, row: EpisodeRow) -> Episode:
        recorded = load_recorded(row.model_dump(exclude_none=True), self._contents)
        return Episode(event=recorded.event, learned_at=recorded.learned_at, tier="cold")


def _is_complete(rows: dict[str, EpisodeRow], limit: int, begins: str) -> bool:
    """Whether no later object can still bring a row of this page."""
    return sum(place < begins for place in rows) > limit


class TieredEpisodes:
    """Both readers take the same marks, so a page of either says up to where it is complete."""

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
        many = count_fitting([_size(merged[place]) for place in places], limit)
        if many < len(places):
            complete = places[many - 1]
        return Page(
            tuple(merged[place] for place in places[:many]), {"mark": complete} if complete < end else None
        )


def _size(episode: Episode) -> int:
    return len(json.dumps(episode.event.payload, ensure_ascii=False).encode())
