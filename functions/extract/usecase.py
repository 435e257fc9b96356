"""Turn a batch of events into episodes and facts, each exactly once whatever the queue does."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from functions.extract.api import QueueMessage
from functions.extract.company import companies
from functions.extract.learning import Learner
from functions.extract.reading import Reading
from functions.extract.redelivery import Redelivery
from membus.domain.event import FORGOTTEN, Event, Recorded
from membus.domain.fresh import settled_by
from membus.domain.rules import needs_reader
from membus.erasing import Gate
from membus.errors import InvalidError, MembusError
from membus.ports.events import EpisodeStore, Quarantine

if TYPE_CHECKING:
    from membus.domain.identity import Owner


@dataclass(frozen=True)
class Pending:
    """An event that nobody has read yet, and the messages that brought it (duplicates share one event)."""

    recorded: Recorded
    messages: tuple[QueueMessage, ...]


Failure = tuple[QueueMessage, Exception]


class SideBySide(Protocol):
    """`map`, or one that does the same with several threads."""

    def __call__(
        self, act: Callable[[Sequence[Pending]], list[Failure]], groups: Iterable[Sequence[Pending]], /
    ) -> Iterable[list[Failure]]: ...


def extract_batch(
    messages: Iterable[QueueMessage],
    *,
    episodes: EpisodeStore,
    quarantine: Quarantine,
    learner: Learner,
    redelivery: Redelivery,
    gate: Gate,
    on_erased: Callable[[str], None],
    side_by_side: SideBySide = map,
) -> list[str]:
    """Return the ids of the messages to deliver again.

    A failure of any kind, a defect of ours too, costs only its own user's messages, and one that an event
    brings with it only that event's: what cannot be read is parked with its reason, whatever else failed
    comes back. What was erased is dropped, however it came back; `on_erased` is told whose tenant's it was.
    """
    failures: list[Failure] = []
    pending: dict[tuple[str, str], Pending] = {}
    for message in messages:
        try:
            arrived = _arrived(message, quarantine)
            if arrived and not gate.admits(arrived):
                on_erased(arrived.event.tenant_id)
            elif arrived:
                _take(message, arrived, pending, episodes=episodes, learner=learner)
        except Exception as error:  # noqa: BLE001 (or one message nobody foresaw would fail its whole batch)
            failures.append((message, error))
    for group in side_by_side(partial(_learn_together, learner), _groups(pending.values())):
        failures += group
    return [message.message_id for message, error in failures if redelivery.again(message, error)]


def _learn_together(learner: Learner, group: Sequence[Pending]) -> list[Failure]:
    """Ask once about all that a company said, then let each of them learn on their own."""
    again = [
        each.recorded.event.event_id
        for each in group
        if any(message.receives > 1 for message in each.messages)
    ]
    try:
        reading = learner.read([each.recorded for each in group], again)
    except Exception as error:  # noqa: BLE001 (as above)
        return _halved(group, error, partial(_learn_together, learner))
    return [failure for mine in _by_owner(group) for failure in _learn(learner, reading, mine)]


def _learn(learner: Learner, reading: Reading, group: Sequence[Pending]) -> list[Failure]:
    """Learn from one user's events; a defect of ours is halved away, down to the event that brings it out."""
    try:
        unread = learner.learn([each.recorded for each in group], reading)
    except Exception as error:  # noqa: BLE001 (as above)
        return _halved(group, error, partial(_learn, learner, reading))
    failed = [(each, unread.get(each.recorded.event.event_id)) for each in group]
    return [(message, error) for each, error in failed if error for message in each.messages]


def _halved(
    group: Sequence[Pending], error: Exception, learn: Callable[[Sequence[Pending]], list[Failure]]
) -> list[Failure]:
    """Learn from each half of what a defect stopped; what is no defect, or one event's own, has failed."""
    if isinstance(error, MembusError) or len(group) == 1:
        return [(message, error) for each in group for message in each.messages]
    middle = len(group) // 2
    return [*learn(group[:middle]), *learn(group[middle:])]


def _arrived(message: QueueMessage, quarantine: Quarantine) -> Recorded | None:
    """Return the message's event; what is none is parked."""
    try:
        return message.recorded()
    except (ValidationError, InvalidError) as error:
        quarantine.park(message.body, reason=_reason(error))
        return None


def _take(
    message: QueueMessage,
    arrived: Recorded,
    pending: dict[tuple[str, str], Pending],
    *,
    episodes: EpisodeStore,
    learner: Learner,
) -> None:
    """Record the message's event and queue it for reading, unless that was done before or need not be done.

    What was read before may have died before it let go of the fresh words.
    """
    if not arrived.event.remember:
        episodes.forget(arrived)
        return
    known = episodes.record(arrived, extracted=None if needs_reader(arrived.event) else learner.version)
    if (arrived.event.owner, settled_by(arrived)) != (known.event.owner, settled_by(known)):
        learner.settle(
            [arrived]
        )  # a copy that says something else: the door kept its words where nobody will look
    if known.extracted in {learner.version, FORGOTTEN}:
        learner.settle([known])
        return
    key = _identity(known.event)
    copies = pending[key].messages if key in pending else ()
    pending[key] = Pending(known, (*copies, message))


def _groups(pending: Iterable[Pending]) -> list[Sequence[Pending]]:
    """Return what is read in one question."""
    of_owner = {mine[0].recorded.event.owner: mine for mine in _by_owner(pending)}
    everything = (each.recorded for mine in of_owner.values() for each in mine)
    return [[each for owner in company for each in of_owner[owner]] for company in companies(everything)]


def _by_owner(pending: Iterable[Pending]) -> list[Sequence[Pending]]:
    groups: dict[Owner, list[Pending]] = {}
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
