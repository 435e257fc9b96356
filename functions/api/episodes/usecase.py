"""Episodes at the door: readable the moment they are taken, and read back in time order."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from functions.api.cursors import read_cursor, write_cursor
from functions.api.episodes.schemas import (
    RESTORE_JOB_PREFIX,
    EpisodeOut,
    EpisodePage,
    EpisodeRange,
    RestoreOut,
)
from functions.api.events.schemas import EventReceipt
from functions.api.events.usecase import EventDefaults, IncomingEvents, check_events, publish_events
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
from membus.core.pages import CursorSigner
from membus.episodes.archive.ports import ArchiveCatalog, ArchiveObjects
from membus.episodes.model import EpisodeQuery
from membus.episodes.ports import EpisodeReader, EpisodeStore
from membus.erasure.guard import ErasureGuard
from membus.events.ports import EventBus

RANGE_DEFAULT = timedelta(days=30)
RANGE_MAX = timedelta(days=3660)
"""Ten years: a range is walked day by day, a hundred days a page."""
FUTURE_MARGIN = timedelta(days=1)
"""Clients' clocks run ahead; what they stamped a little later than now has happened all the same."""


def record_episodes(
    items: Sequence[Any], stamp: EventDefaults, *, gate: ErasureGuard, episodes: EpisodeStore, bus: EventBus
) -> EventReceipt:
    """Record what is valid, then publish it for everybody who learns from it; the copies find it recorded.

    An event that the bus does not take is refused although it is recorded: sent again under its id it is the
    same event, and is published then.

    Raises:
        NothingAcceptedError: not one episode was taken.
    """
    incoming = check_events(items, stamp, gate)
    fresh, away = IncomingEvents(), False
    for index, event in list(incoming.events.items()):
        known: RecordedEvent | None = None
        try:
            known = None if away else _record_episode(event, stamp.now, episodes=episodes)
        except (ConflictError, UnavailableError) as error:
            away = isinstance(error, UnavailableError)  # then each of the others would only wait for it too
        if known is None:
            incoming.reject_event(
                index, "unavailable", f"event {event.event_id} was not recorded; send it again"
            )
            continue
        if known.extracted is None:
            fresh.events[index] = known.event
    publish_events(fresh, bus=bus)
    for refused in fresh.rejected:
        incoming.reject_event(refused.index, refused.code, refused.detail)
    return incoming.make_receipt()


def list_episodes(
    tenant: str,
    agent: str,
    asked: EpisodeRange,
    *,
    limit: int,
    cursor: str | None,
    now: datetime,
    hidden: SubjectsBeingErased,
    episodes: EpisodeReader,
    sealer: CursorSigner,
) -> EpisodePage:
    """Return a page of an agent's episodes; a cursor keeps the range that its first page had.

    Raises:
        InvalidError: `bad_cursor`, or a range that is none or too long.
    """
    query = f"episodes\n{tenant}\n{agent}\n{asked.model_dump_json()}"
    after = read_cursor(cursor, query=query, sealer=sealer)
    end = datetime.fromisoformat(after["end"]) if after else asked.end or now + FUTURE_MARGIN
    wanted = EpisodeQuery(
        tenant=tenant,
        agent=agent,
        start=_range_start(asked, end),
        end=end,
        session_id=asked.session_id,
        user_id=asked.user_id,
    )
    page = episodes.list_episodes(wanted, limit=limit, after=after)
    next_after = page.after and page.after | {"end": end.isoformat()}
    return EpisodePage(
        items=[
            EpisodeOut.from_episode(each)
            for each in page.items
            if not hidden.contains_user(each.event.user_id)
        ],
        next_cursor=write_cursor(next_after, query=query, sealer=sealer),
    )


def _record_episode(event: Event, now: datetime, *, episodes: EpisodeStore) -> RecordedEvent:
    arrived = RecordedEvent(event=event, learned_at=now)
    if event.remember:
        return episodes.record_event(arrived, extracted=None)
    episodes.forget_event(arrived)
    return arrived


def _range_start(asked: EpisodeRange, end: datetime) -> datetime:
    start = asked.start or max(end - RANGE_DEFAULT, EARLIEST)
    if start >= end:
        raise InvalidError("from lies before to, and what is asked for between them")
    if end - start > RANGE_MAX:
        raise InvalidError(f"a range takes at most {RANGE_MAX.days} days", code="range_too_long")
    return start


def read_restore_job(
    tenant: str, job_id: str, *, catalog: ArchiveCatalog, objects: ArchiveObjects
) -> RestoreOut:
    """Return how far the object is; raises NotFoundError for one that the tenant does not have."""
    key = f"{tenant}/{_object_name(job_id)}"
    kept = next((each for each in catalog.list_objects(tenant) if each.object_key == key), None)
    if kept is None:
        raise NotFoundError("no such job")
    try:
        objects.check_exists(kept)
    except RestoreInProgressError as thawing:
        return RestoreOut.from_error(thawing)
    return RestoreOut(job_id=job_id, status="done", object=key, retry_after_seconds=0)


def _object_name(job_id: str) -> str:
    text = job_id.removeprefix(RESTORE_JOB_PREFIX)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise InvalidError("this is no job's id") from error
