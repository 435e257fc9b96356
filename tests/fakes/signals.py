"""Marks of behaviour in sets, written as the table writes them: to the millisecond."""

from collections import defaultdict

from membus.domain.identity import Owner
from membus.domain.rules import Mark, Signal

MARKS_MAX = 100


class InMemorySignals:
    def __init__(self) -> None:
        self._marks: dict[tuple[Owner, str, str, int], set[str]] = defaultdict(set)

    def add(self, owner: Owner, signal: Signal) -> set[Mark]:
        return {mark for bucket in signal.buckets for mark in self._add_to(owner, signal, bucket)}

    def _add_to(self, owner: Owner, signal: Signal, bucket: int) -> set[Mark]:
        marks = self._marks[owner, signal.rule.name, signal.group, bucket]
        if len(marks) >= MARKS_MAX:
            return set()
        marks.add(str(signal.mark))
        return set(map(Mark.parse, marks))
