"""Extraction: a batch of queue messages becomes episodes and facts, each exactly once.

The steps of `extract_batch`: parse, apply quotas, drop erased, record, group. Each group then: ask the model,
validate, resolve, commit. Last: acknowledge.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from functions.extract.delivery import acknowledge, apply_quotas
from functions.extract.facts import extract_facts, mark_processed
from functions.extract.model_answers import BatchAnswers, ask_model
from functions.extract.ports import ExtractPorts
from functions.extract.schemas import MessageFailure, QueueMessage, UnreadEvent
from membus.conversations.unprocessed_messages import processed_sort_key
from membus.core.errors import InvalidError, MembusError
from membus.core.event import FORGOTTEN, RecordedEvent
from membus.core.identity import Owner
from membus.facts.rules import needs_extraction
from membus.facts.text_checks import is_prompt_injection

Input = TypeVar("Input")
Output = TypeVar("Output")


def extract_batch(messages: Sequence[QueueMessage], ports: ExtractPorts) -> list[str]:
    """Return the ids of the messages that the queue shall hand out again.

    A failure of any kind costs only its own user's messages, and one that an event brings with it only that
    event's. Messages that hold no event are parked; erased events are dropped, however they came back.
    """
    failures: list[MessageFailure] = []
    ports.monitor.count_metric("MessagesReceived", len(messages))
    parsed = _each(partial(parse_event, ports), [(message, message) for message in messages], failures)
    admitted = apply_quotas(parsed, ports)
    kept = _each(partial(drop_erased, ports), admitted, failures)
    stored = _each(partial(record_event, ports), kept, failures)
    for failed in ports.run_parallel(partial(extract_group, ports), group_events(stored)):
        failures += failed
    return acknowledge(failures, ports)


def _each(
    step: Callable[[Input], Output | None],
    inputs: Iterable[tuple[QueueMessage, Input]],
    failures: list[MessageFailure],
) -> list[tuple[QueueMessage, Output]]:
    """Return what a step makes of each message.

    None ends a message's way, and a failure costs only that message.
    """
    outputs: list[tuple[QueueMessage, Output]] = []
    for message, value in inputs:
        try:
            output = step(value)
        except Exception as error:  # noqa: BLE001 (a defect that one message brings out must not fail its batch)
            failures.append((message, error))
            continue
        if output is not None:
            outputs.append((message, output))
    return outputs


def parse_event(ports: ExtractPorts, message: QueueMessage) -> RecordedEvent | None:
    """Return the event of a message; a message without one is parked."""
    try:
        return message.parse_event()
    except InvalidError as error:
        reason = error.code
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        reason = f"invalid_event: {'.'.join(map(str, first['loc']))}: {first['msg']}"
    ports.poison_messages.send_message(message.body, reason=reason)
    return None


def drop_erased(ports: ExtractPorts, recorded: RecordedEvent) -> RecordedEvent | None:
    """Return the event unless it was erased.

    Raises:
        UnavailableError: its user is being erased; the message has its turn after that.
    """
    if ports.erasures.accepts_event(recorded):
        return recorded
    ports.monitor.count_metric("ErasedDropped")
    ports.monitor.log_info("an erased event came back and was dropped", tenant_id=recorded.event.tenant_id)
    return None


def record_event(ports: ExtractPorts, recorded: RecordedEvent) -> RecordedEvent | None:
    """Record an event and return it as the store has it, None where nothing is left to read.

    A function that died may have read the event and not yet marked its message as processed. A copy with
    other content is marked too: the API has kept its message under another key, where no reader of the event
    looks.
    """
    if not recorded.event.remember:
        ports.episodes.forget_event(recorded)
        return None
    is_read = not needs_extraction(recorded.event)
    version = ports.reading_for(recorded.event).version
    stored = ports.episodes.record_event(recorded, extracted=version if is_read else None)
    if (recorded.owner, processed_sort_key(recorded)) != (stored.owner, processed_sort_key(stored)):
        mark_processed([recorded], ports)
    if stored.extracted in {ports.reading_for(stored.event).version, FORGOTTEN}:
        mark_processed([stored], ports)
        return None
    return stored


def group_events(stored: Iterable[tuple[QueueMessage, RecordedEvent]]) -> list[list[UnreadEvent]]:
    """Return the events that are read in one question, each once with all messages that brought it."""
    unread: dict[tuple[Owner, str], UnreadEvent] = {}
    for message, recorded in stored:
        identity = recorded.owner, recorded.event_id
        copies = unread[identity].messages if identity in unread else ()
        unread[identity] = UnreadEvent(recorded, (*copies, message))
    by_owner = _by_owner(unread.values())
    groups = group_by_shared_session(each.recorded for own in by_owner.values() for each in own)
    return [group for owners in groups for group in _with_unlike_ids([by_owner[owner] for owner in owners])]


def _with_unlike_ids(by_owner: Iterable[list[UnreadEvent]]) -> list[list[UnreadEvent]]:
    """Return the events of several owners in groups without two of one id: an answer names them by their ids."""
    groups: list[list[UnreadEvent]] = []
    for own in by_owner:
        ids = {each.event_id for each in own}
        group = next((each for each in groups if ids.isdisjoint(other.event_id for other in each)), None)
        if group is None:
            groups.append([*own])
        else:
            group.extend(own)
    return groups


def group_by_shared_session(events: Iterable[RecordedEvent]) -> list[list[Owner]]:
    """Return the owners of events in groups, those together whose words may stand in one question (ADR 42).

    They belong to one tenant, and they spoke in the same sessions of the same agents only. A user whose words
    try to steer a model is read alone. An owner is in one group: there are never more questions than owners.
    """
    by_owner: dict[Owner, list[RecordedEvent]] = {}
    for recorded in events:
        by_owner.setdefault(recorded.owner, []).append(recorded)
    groups: dict[object, list[Owner]] = {}
    for owner, own in by_owner.items():
        sessions = _shared_sessions(own)
        groups.setdefault((owner.tenant, sessions) if sessions else owner, []).append(owner)
    return list(groups.values())


def _shared_sessions(events: Sequence[RecordedEvent]) -> frozenset[tuple[str, str]] | None:
    """Return the agents and sessions an owner spoke in, None for an owner who has to be read alone."""
    spoken = [recorded.event for recorded in events if recorded.event.user_text]
    if any(event.session_id is None or is_prompt_injection(event.user_text or "") for event in spoken):
        return None
    return frozenset((event.agent_id, event.session_id or "") for event in spoken) or None


def extract_group(ports: ExtractPorts, group: Sequence[UnreadEvent]) -> list[MessageFailure]:
    """Ask one question about a group, then extract the facts of each owner in it.

    Events that are read by other settings, those of another agent, are asked about apart.
    """
    by_reading: dict[str, list[UnreadEvent]] = {}
    for each in group:
        by_reading.setdefault(ports.reading_for(each.recorded.event).version, []).append(each)
    return [
        failure
        for part in by_reading.values()
        for failure in _bisect(partial(_answer_group, _ports_for(part, ports)), part)
    ]


def _ports_for(part: Sequence[UnreadEvent], ports: ExtractPorts) -> ExtractPorts:
    return replace(ports, reading=ports.reading_for(part[0].recorded.event))


def _answer_group(ports: ExtractPorts, group: Sequence[UnreadEvent]) -> list[MessageFailure]:
    redelivered = {each.event_id for each in group if any(m.receive_count > 1 for m in each.messages)}
    answers = ask_model([each.recorded for each in group], ports, redelivered=redelivered)
    extract_owner = partial(_extract_owner, ports, answers)
    return [failure for own in _by_owner(group).values() for failure in _bisect(extract_owner, own)]


def _extract_owner(
    ports: ExtractPorts, answers: BatchAnswers, own: Sequence[UnreadEvent]
) -> list[MessageFailure]:
    unread = extract_facts([each.recorded for each in own], answers, ports)
    failed = [(each, unread[each.event_id]) for each in own if each.event_id in unread]
    return [(message, error) for each, error in failed for message in each.messages]


def _bisect(
    extract: Callable[[Sequence[UnreadEvent]], list[MessageFailure]], group: Sequence[UnreadEvent]
) -> list[MessageFailure]:
    """Return the failures of a group.

    One that a defect stops is halved, down to the event that brings it out.
    """
    try:
        return extract(group)
    except Exception as error:  # noqa: BLE001 (as above)
        if isinstance(error, MembusError) or len(group) == 1:
            return [(message, error) for each in group for message in each.messages]
    middle = len(group) // 2
    return [*_bisect(extract, group[:middle]), *_bisect(extract, group[middle:])]


def _by_owner(events: Iterable[UnreadEvent]) -> dict[Owner, list[UnreadEvent]]:
    by_owner: dict[Owner, list[UnreadEvent]] = {}
    for each in events:
        by_owner.setdefault(each.recorded.owner, []).append(each)
    return by_owner
