"""The newest of the events that in-memory episodes hold."""

from membus.core.event import Event
from membus.core.identity import Owner
from tests.fakes.episodes import InMemoryEpisodes


class InMemoryRecentEvents:
    def __init__(self, episodes: InMemoryEpisodes) -> None:
        self._episodes = episodes

    def list_recent_events(self, owner: Owner, *, limit: int) -> list[Event]:
        mine = [each.event for each in self._episodes.contents.values() if each.event.owner == owner]
        return sorted(mine, key=lambda event: event.occurred_at, reverse=True)[:limit]
