"""The parts of events: the bus, and the queues that functions are fed from or put messages into."""

from functools import cached_property

from membus.aws.clients import aws_client
from membus.container.parts import Parts
from membus.events.eventbridge import ANNOUNCEMENTS, EventBridgeBus
from membus.events.ports import DelayQueue, EventBus, OverflowQueue, PoisonMessageQueue, SourceQueue
from membus.events.sqs import SqsOverflowQueue, SqsPoisonMessages, SqsSourceQueue


class EventParts(Parts):
    @cached_property
    def bus(self) -> EventBus:
        return EventBridgeBus(aws_client("events"), self._settings.get_text("BUS_NAME"))

    @cached_property
    def announcements(self) -> EventBus:
        """The bus for events of membus itself, from which no facts are extracted."""
        name = self._settings.get_text("BUS_NAME")
        return EventBridgeBus(aws_client("events"), name, source=ANNOUNCEMENTS)

    @cached_property
    def poison_messages(self) -> PoisonMessageQueue:
        return self._poison_message_queue("QUARANTINE_QUEUE_URL")

    @cached_property
    def dead_letters(self) -> PoisonMessageQueue:
        return self._poison_message_queue("DEAD_LETTER_QUEUE_URL")

    @cached_property
    def source_queue(self) -> SourceQueue:
        return SqsSourceQueue(aws_client("sqs"), self._settings.get_text("SOURCE_QUEUE_URL"))

    @cached_property
    def delay_queue(self) -> DelayQueue:
        """The queue that this function is fed from, to which it sends messages for later."""
        return SqsSourceQueue(aws_client("sqs"), self._settings.get_text("SOURCE_QUEUE_URL"))

    @cached_property
    def overflow_queue(self) -> OverflowQueue:
        return SqsOverflowQueue(aws_client("sqs"), self._settings.get_text("SURPLUS_QUEUE_URL"))

    def _poison_message_queue(self, variable: str) -> PoisonMessageQueue:
        return SqsPoisonMessages(aws_client("sqs"), self._settings.get_text(variable))
