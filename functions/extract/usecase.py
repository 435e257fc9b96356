"""Turn a batch of events into episodes and facts, each exactly once whatever the queue does."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from functions.extract.api import QueueMessage
from functions.extract.company import group_by_shared_session
from functions.extract.learning import FactExtractor
from functions.extract.reading import BatchAnswers
from functions.extract.redelivery import RedeliveryPolicy
from membus.domain.event import FORGOTTEN, Event, RecordedEvent
from membus.domain.fresh import processed_sort_key
from membus.domain.rules import needs_extraction
from membus.erasing import ErasureGuard
from membus.errors import InvalidError, MembusError
from membus.ports.events import EpisodeStore, PoisonMessageQueue

if TYPE_CHECKING:
    from membus.domain.identity import Owner


@dataclass(frozen=True)
class UnreadEvent:
    """An event that nobody has read yet, and the messages that brought it (duplicates share one event)."""

    recorded: RecordedEvent
    messages: tuple[QueueMessage, ...]


MessageFailure = tuple[QueueMessage, Exception]


class ParallelMap(Protocol):
    """`map`, or one that does the same with several threads."""

    def __call__(
        self,
        act: Callable[[Sequence[UnreadEvent]], list[MessageFailure]],
        groups: Iterable[Sequence[UnreadEvent]],
        /,
    ) -> Iterable[list[MessageFailure]]: ...


def extract_batch(
    messages: Iterable[QueueMessage],
    *,
    episodes: EpisodeStore,
    quarantine: PoisonMessageQueue,
    learner: FactExtractor,
    redelivery: RedeliveryPolicy,
    gate: ErasureGuard,
    on_erased: Callable[[str], None],
    side_by_side: ParallelMap = map,
) -> list[str]:
    """Return the ids of the messages to deliver again.

    A failure of any kind, a defect of ours too, costs only its own user's messages, and one that an event
    brings with it only that event's: what cannot be read is parked with its reason, whatever else failed
    comes back. What was erased is dropped, however it came back; `on_erased` is told whose tenant's it was.
    """
    failures: list[MessageFailure] = []
    pending: dict[tuple[str, str], UnreadEvent] = {}
    for message in messages:
        try:
            arrived = _parse_event(message, quarantine)
            if arrived and not gate.admits(arrived):
                on_erased(arrived.event.tenant_id)
            elif arrived:
                _record_event(message, arrived, pending, episodes=episodes, learner=learner)
        except Exception as error:  # noqa: BLE001 (or one message nobody foresaw would fail its whole batch)
            failures.append((message, error))
    for group in side_by_side(partial(_extract_group, learner), _group_unread(pending.values())):
        failures += group
    return [message.message_id for message, error in failures if redelivery.again(message, error)]


def _extract_group(learner: FactExtractor, group: Sequence[UnreadEvent]) -> list[MessageFailure]:
    """Ask once about all that a company said, then let each of them learn on their own."""
    again = [
        each.recorded.event.event_id
        for each in group
        if any(message.receives > 1 for message in each.messages)
    ]
    try:
        reading = learner.read([each.recorded for each in group], again)
    except Exception as error:  # noqa: BLE001 (as above)
        return _bisect_failure(group, error, partial(_extract_group, learner))
    return [failure for mine in _by_owner(group) for failure in _extract_owner(learner, reading, mine)]


def _extract_owner(
    learner: FactExtractor, reading: BatchAnswers, group: Sequence[UnreadEvent]
) -> list[MessageFailure]:
    """Learn from one user's events; a defect of ours is halved away, down to the event that brings it out."""
    try:
        unread = learner.learn([each.recorded for each in group], reading)
    except Exception as error:  # noqa: BLE001 (as above)
        return _bisect_failure(group, error, partial(_extract_owner, learner, reading))
    failed = [(each, unread.get(each.recorded.event.event_id)) for each in group]
    return [(message, error) for each, error in failed if error for message in each.messages]


def _bisect_failure(
    group: Sequence[UnreadEvent],
    error: Exception,
    learn: Callable[[Sequence[UnreadEvent]], list[MessageFailure]],
) -> list[MessageFailure]:
    """Learn from each half of what a defect stopped; what is no defect, or one event's own, has failed."""
    if isinstance(error, MembusError) or len(group) == 1:
        return [(message, error) for each in group for message in each.messages]
    middle = len(group) // 2
    return [*learn(group[:middle]), *learn(group[middle:])]


def _parse_event(message: QueueMessage, quarantine: PoisonMessageQueue) -> RecordedEvent | None:
    """Return the message's event; what is none is parked."""
    try:
        return message.recorded()
    except (ValidationError, InvalidError) as error:
        quarantine.park(message.body, reason=_reason(error))
        return None


def _record_event(
    message: QueueMessage,
    arrived: RecordedEvent,
    pending: dict[tuple[str, str], UnreadEvent],
    *,
    episodes: EpisodeStore,
    learner: FactExtractor,
) -> None:
    """Record the message's event and queue it for reading, unless that was done before or need not be done.

    What was read before may have died before it let go of the fresh words.
    """
    if not arrived.event.remember:
        episodes.forget(arrived)
        return
    known = episodes.record(arrived, extracted=None if needs_extraction(arrived.event) else learner.version)
    if (arrived.event.owner, processed_sort_key(arrived)) != (known.event.owner, processed_sort_key(known)):
        learner.settle(
            [arrived]
        )  # a copy that says something else: the door kept its words where nobody will look
    if known.extracted in {learner.version, FORGOTTEN}:
        learner.settle([known])
        return
    key = _identity(known.event)
    copies = pending[key].messages if key in pending else ()
    pending[key] = UnreadEvent(known, (*copies, message))


def _group_unread(pending: Iterable[UnreadEvent]) -> list[Sequence[UnreadEvent]]:
    """Return what is read in one question."""
    of_owner = {mine[0].recorded.event.owner: mine for mine in _by_owner(pending)}
    everything = (each.recorded for mine in of_owner.values() for each in mine)
    return [
        [each for owner in company for each in of_owner[owner]]
        for company in group_by_shared_session(everything)
    ]


def _by_owner(pending: Iterable[UnreadEvent]) -> list[Sequence[UnreadEvent]]:
    groups: dict[Owner, list[UnreadEvent]] = {}
    for each in pending:
        groups.setdefault(each.recorded.event.owner, []).append(each)
    return list(groups.values())


def _identity(event: Event) -> tuple[str, str]:
    return event.tenant_id, event.event_id


def _reason(error: ValidationError | InvalidError) -> str:
    if isinstance(error, InvalidError):
        return error.code
    first = error.errors(include_input=False, include_url=False)[0]
    return f"invalid_event: {'.'.join(map(str, first['loc']))}: {first['msg']}"
