"""When the value of an observation stopped to hold, as the other observations of its key tell."""

from collections.abc import Iterable
from datetime import datetime

from membus.facts.observation import Observation
from membus.facts.resolution import counts_after, in_learning_order, takes_precedence, truth_order


class FactTimeline:
    """The observations of one key laid out in time: which one was current at a moment, and until when."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self._by_learning = in_learning_order(observations)
        self._by_truth = sorted(self._by_learning, key=truth_order)
        starts = {each.valid_from for each in self._by_learning}
        ends = {each.valid_until for each in self._by_learning if each.valid_until}
        self._turning_points = sorted(starts | ends)

    def observation_at(self, moment: datetime) -> Observation | None:
        """Return the observation that was current at a moment, None where there was none.

        A retraction ends what was learned before it; after one, corrections and the user's later words count.
        """
        retractions = [each for each in self._by_learning if each.is_retracted and _is_true(each, moment)]
        standing = list[Observation]()
        for each in self._by_truth:
            if not _is_true(each, moment) or each.is_retracted:
                continue
            if retractions and not counts_after(each, retractions[-1]):
                continue
            if each.denies:
                standing = [held for held in standing if not takes_precedence(each, held)] or [each]
            else:
                standing.append(each)
        current: Observation | None = None
        for each in standing:
            if current is None or takes_precedence(each, current):
                current = each
        return current

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
        current = self.observation_at(moment)
        return current is not None and current.has_same_value_as(observation)


def _is_true(observation: Observation, moment: datetime) -> bool:
    until = observation.valid_until
    return observation.valid_from <= moment and (until is None or moment < until)
