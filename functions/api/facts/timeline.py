"""When what was observed of a key stopped to hold, as later observations tell."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from membus.facts.observation import Observation, Trust
from membus.facts.resolution import in_learning_order, takes_precedence, truth_order


class FactTimeline:
    """The observations of one key laid out in time: what held at any moment, and until when."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self._learned = in_learning_order(observations)
        self._true = sorted(self._learned, key=truth_order)
        self._places = {id(seen): place for place, seen in enumerate(self._learned)}
        self._turns = sorted({moment for seen in self._learned for moment in _turning_points(seen)})

    def observation_at(self, moment: datetime) -> Observation | None:
        """Return what held at a moment, as the fold over what was true by then has it.

        None where nothing did.
        """
        back = max(
            (
                place
                for place, seen in enumerate(self._learned)
                if seen.is_retracted and _is_true(seen, moment)
            ),
            default=-1,
        )
        current: Observation | None = None
        for seen in self._true:
            if not _is_true(seen, moment) or self._places[id(seen)] <= back:
                continue
            if back >= 0 and seen.trust is not Trust.CORRECTED:
                continue
            if current is None or takes_precedence(seen, current):
                current = seen
        return current

    def end_of(self, seen: Observation, since: datetime | None = None) -> datetime | None:
        """Return when what an observation says stopped to hold, looking from `since`, its beginning if left out.

        What never held has the end that it named, if any; so has what holds still.
        """
        start = max(seen.valid_from, since or seen.valid_from)
        if not _same_claim(self.observation_at(start), seen):
            return seen.valid_until
        return next(
            (
                turn
                for turn in self._turns
                if turn > start and not _same_claim(self.observation_at(turn), seen)
            ),
            seen.valid_until,
        )


def _same_claim(held: Observation | None, seen: Observation) -> bool:
    return held is not None and held.has_same_value_as(seen)


def _turning_points(seen: Observation) -> Sequence[datetime]:
    return (seen.valid_from, seen.valid_until) if seen.valid_until else (seen.valid_from,)


def _is_true(seen: Observation, moment: datetime) -> bool:
    return seen.valid_from <= moment and (seen.valid_until is None or moment < seen.valid_until)
