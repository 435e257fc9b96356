"""Episodes, read back."""

from typing import Protocol

from membus.domain.episode import Episode, EpisodeQuery
from membus.domain.pages import Page


class EpisodeReader(Protocol):
    def page(self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None) -> Page[Episode]:
        """Return episodes in the order in which they occurred, as many as one call can carry and find.

        A page goes on where the one before it ended, whatever was written or removed since; it may be empty
        and still not the last.
        """
