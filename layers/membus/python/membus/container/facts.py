"""The parts of facts: the facts, what waits for review, and what extraction remembers."""

from functools import cached_property

from membus.container.parts import Parts
from membus.facts.dynamodb import DynamoAnswers, DynamoFacts
from membus.facts.dynamodb_review_queue import DynamoReviewQueue
from membus.facts.dynamodb_signals import DynamoSignals
from membus.facts.ports import AnswerStore, FactStore, ReviewQueue, SignalStore


class FactParts(Parts):
    @cached_property
    def store(self) -> FactStore:
        return DynamoFacts(self._container.memory_table)

    @cached_property
    def review_queue(self) -> ReviewQueue:
        return DynamoReviewQueue(self._container.memory_table, self._container.clock)

    @cached_property
    def answers(self) -> AnswerStore:
        return DynamoAnswers(self._container.memory_table)

    @cached_property
    def signals(self) -> SignalStore:
        return DynamoSignals(self._container.memory_table)
