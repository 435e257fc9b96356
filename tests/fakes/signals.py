"""Marks of behaviour in time order, kept as the table keeps them: to the millisecond."""

from bisect import insort
from collections import defaultdict

from membus.adapters.dynamo_signals import LIFETIME
from membus.domain.identity import Owner
from membus.domain.rules import Mark, Signal


class InMemorySignals:
    def __init__(self) -> None:
        self._marks: dict[tuple[Owner, str, str], list[Mark]] = defaultdict(list)

    def add(self, owner: Owner, signal: Signal) -> set[Mark]:
        marks = self._marks[owner, signal.rule.name, signal.group]
        new = Mark.parse(str(signal.mark))
        if new not in marks:
            insort(marks, new, key=lambda mark: (mark.occurred_at, mark.event_id))
        place, reach = marks.index(new), signal.rule.count - 1
        near = marks[max(0, place - reach) : place + reach + 1]
        return {
            mark
            for mark in near
            if abs(mark.occurred_at - new.occurred_at) <= signal.rule.within
            and mark.learned_at + LIFETIME > new.learned_at
        }
