"""Episodes of an agent: readable as soon as they are recorded, and read back in time order."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from functions.api.episodes.schemas import (
    RESTORE_JOB_PREFIX,
    EpisodeOut,
    EpisodePage,
    EpisodeRange,
    RestoreJobOut,
)
from functions.api.events.schemas import EventReceipt
from functions.api.events.usecase import EventDefaults, IncomingEvents, check_events, publish_events
from functions.api.pages import PageRequest
from membus.core.clock import EARLIEST
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    RestoreInProgressError,
    UnavailableError,
)
from membus.core.event import Event, RecordedEvent
from membus.episodes.archive.ports import ArchiveCatalog, ArchiveObjects
from membus.episodes.model import EpisodeQuery
from membus.episodes.ports import EpisodeReader, EpisodeStore
from membus.erasure.guard import ErasureGuard
from membus.events.ports import EventBus

RANGE_DEFAULT = timedelta(days=30)
RANGE_MAX = timedelta(days=3660)
"""Ten years: a range is read day by day, a hundred days a page."""
FUTURE_MARGIN = timedelta(days=1)
"""For clients' clocks that run ahead."""


def record_episodes(
    items: Sequence[Any],
    defaults: EventDefaults,
    *,
    guard: ErasureGuard,
    episodes: EpisodeStore,
    bus: EventBus,
) -> EventReceipt:
    """Record the valid events, then publish those that are new to extraction; report the others.

    An event that the bus does not accept is rejected although it is recorded: sent again under its id it is
    the same event, and is published then.

    Raises:
        NothingAcceptedError: not one event was accepted.
    """
    incoming = check_events(items, defaults, guard)
    unread, is_away = IncomingEvents(), False
    for index, event in list(incoming.events.items()):
        recorded: RecordedEvent | None = None
        try:
            recorded = None if is_away else _record_episode(event, defaults.now, episodes=episodes)
        except (ConflictError, UnavailableError) as error:
            is_away = isinstance(error, UnavailableError)  # the others would only wait for it, too
        if recorded is None:
            detail = f"event {event.event_id} was not recorded; send it again"
            incoming.reject_event(index, "unavailable", detail)
        elif recorded.extracted is None:
            unread.events[index] = recorded.event
    publish_events(unread, bus=bus)
    for rejected in unread.rejected:
        incoming.reject_event(rejected.index, rejected.code, rejected.detail)
    return incoming.make_receipt()


def _record_episode(event: Event, now: datetime, *, episodes: EpisodeStore) -> RecordedEvent:
    recorded = RecordedEvent(event=event, learned_at=now)
    if event.remember:
        return episodes.record_event(recorded, extracted=None)
    episodes.forget_event(recorded)
    return recorded


def list_episodes(
    tenant: str,
    agent: str,
    asked: EpisodeRange,
    *,
    page: PageRequest,
    now: datetime,
    hidden: SubjectsBeingErased,
    episodes: EpisodeReader,
) -> EpisodePage:
    """Return a page of an agent's episodes; a cursor keeps the end of the range that its first page had.

    Raises:
        InvalidError: `bad_cursor`, `range_too_long`, or an empty range.
    """
    query = page.for_query("episodes", tenant, agent, asked.model_dump_json())
    end = datetime.fromisoformat(query.after["end"]) if query.after else asked.end or now + FUTURE_MARGIN
    wanted = EpisodeQuery(
        tenant=tenant,
        agent=agent,
        start=_range_start(asked, end),
        end=end,
        session_id=asked.session_id,
        user_id=asked.user_id,
    )
    found = episodes.list_episodes(wanted, limit=query.limit, after=query.after)
    visible = (each for each in found.items if not hidden.contains_user(each.event.user_id))
    return EpisodePage(
        items=[EpisodeOut.from_episode(each) for each in visible],
        next_cursor=query.next_cursor(found.after and found.after | {"end": end.isoformat()}),
    )


def _range_start(asked: EpisodeRange, end: datetime) -> datetime:
    start = asked.start or max(end - RANGE_DEFAULT, EARLIEST)
    if start >= end:
        raise InvalidError("from lies before to, and what is asked for between them")
    if end - start > RANGE_MAX:
        raise InvalidError(f"a range takes at most {RANGE_MAX.days} days", code="range_too_long")
    return start


def read_restore_job(
    tenant: str, job_id: str, *, catalog: ArchiveCatalog, objects: ArchiveObjects
) -> RestoreJobOut:
    """Return whether the object of a restore job can be read; NotFoundError for one that the tenant lacks."""
    key = f"{tenant}/{_object_name(job_id)}"
    entry = next((each for each in catalog.list_objects(tenant) if each.object_key == key), None)
    if entry is None:
        raise NotFoundError("no such job")
    try:
        objects.check_exists(entry)
    except RestoreInProgressError as error:
        return RestoreJobOut.from_error(error)
    return RestoreJobOut(job_id=job_id, status="done", object=key, retry_after_seconds=0)


def _object_name(job_id: str) -> str:
    text = job_id.removeprefix(RESTORE_JOB_PREFIX)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise InvalidError("this is no job's id") from error
