"""When the value of an observation stopped to hold, as the other observations of its key tell."""

from collections.abc import Iterable
from datetime import datetime

from membus.facts.fact import Fact, fact_as_of
from membus.facts.observation import Observation
from membus.facts.resolution import in_learning_order


class FactTimeline:
    """The observations of one key laid out in time: which value was current at a moment, and until when."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self._observations = in_learning_order(observations)
        starts = {each.valid_from for each in self._observations}
        ends = {each.valid_until for each in self._observations if each.valid_until}
        self._turning_points = sorted(starts | ends)
        self._facts: dict[datetime, Fact | None] = {}

    def fact_at(self, moment: datetime) -> Fact | None:
        """Return the fact that was true at a moment, as the fold has it; each moment is folded once."""
        if moment not in self._facts:
            self._facts[moment] = fact_as_of(self._observations, true_at=moment)
        return self._facts[moment]

    def end_of(self, observation: Observation, since: datetime | None = None) -> datetime | None:
        """Return when the value of an observation stopped to hold after `since`, by default its beginning.

        A value that never held, or still holds, ends where its observation says.
        """
        start = max(observation.valid_from, since or observation.valid_from)
        if self._holds_at(start, observation):
            for moment in self._turning_points:
                if moment > start and not self._holds_at(moment, observation):
                    return moment
        return observation.valid_until

    def _holds_at(self, moment: datetime, observation: Observation) -> bool:
        current = self.fact_at(moment)
        return current is not None and current.has_same_value_as(observation)
