"""Episodes of both tiers as one: merged in time order under one cursor, each once, the nearer copy first."""

import json

from membus.domain.episode import Episode, EpisodeQuery, count_fitting, mark_before, place_of
from membus.domain.pages import Page
from membus.ports.episodes import EpisodeReader


class TieredEpisodes:
    """Both readers take the same marks, so a page of either says up to where it is complete."""

    def __init__(self, hot: EpisodeReader, cold: EpisodeReader) -> None:
        self._hot, self._cold = hot, cold

    def page(self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None) -> Page[Episode]:
        end = mark_before(wanted.end)
        # Hot first: an episode that expires between the two reads is then in both, never in neither.
        pages = [reader.page(wanted, limit=limit, after=after) for reader in (self._hot, self._cold)]
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
