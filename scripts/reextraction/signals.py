"""Signals in memory, in time order to the millisecond as in the table; a replay counts them again."""

from bisect import insort
from collections import defaultdict

from membus.core.identity import Owner
from membus.facts.rules import LATE_ARRIVAL_MARGIN, Signal, SignalMark


class InMemorySignals:
    def __init__(self) -> None:
        self._marks: dict[tuple[Owner, str, str], list[SignalMark]] = defaultdict(list)

    def add_signal(self, owner: Owner, signal: Signal) -> set[SignalMark]:
        marks = self._marks[owner, signal.rule_group.name, signal.group]
        new = SignalMark.parse(str(signal.mark))
        if new not in marks:
            insort(marks, new, key=lambda mark: (mark.occurred_at, mark.event_id))
        place, reach = marks.index(new), signal.neighbour_limit
        near = marks if reach is None else marks[max(0, place - reach) : place + reach + 1]
        return {
            mark
            for mark in near
            if abs(mark.occurred_at - new.occurred_at) <= signal.window_span
            and mark.learned_at + signal.window_span + LATE_ARRIVAL_MARGIN > new.learned_at
        }
