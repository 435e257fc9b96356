"""membus.erasure.guard: what was erased stays so, what is new has its turn, and nothing is read meanwhile."""

from datetime import timedelta

import pytest

from membus.core.erasure import LEDGER_CACHE_LIFETIME
from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.erasure.guard import CachedErasures, ErasureGuard
from membus.erasure.model import ErasureReceipt, new_erasure_job
from tests.factories import ADA, NOON, an_event, recorded, said
from tests.fakes.clock import StoppedClock
from tests.fakes.erasures import InMemoryErasures
from tests.support.api_client import ApiTestClient
from tests.support.extraction import Extraction, a_message

LATER = timedelta(hours=1)


def begun(erasures: InMemoryErasures, *, done: bool = False) -> InMemoryErasures:
    job = erasures.start_job(new_erasure_job("acme", "ada", request_key=None, requested_by="k1", now=NOON))
    if done:
        receipt = ErasureReceipt(proven_at=NOON, left={}, rotates={}, final=NOON.date())
        erasures.finish_job(job.model_copy(update={"receipt": receipt}))
    return erasures


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(
    ("occurred", "learned"),
    [(-LATER, -LATER), (-LATER, LATER), (LATER, -LATER), (timedelta(seconds=64), LATER)],
    ids=["long ago", "late", "by a clock that runs ahead", "within the minute"],
)
def test_what_occurred_or_was_learned_before_is_erased(
    *, occurred: timedelta, learned: timedelta, done: bool
) -> None:
    event = recorded(an_event(occurred_at=NOON + occurred), learned_at=NOON + learned)

    assert not ErasureGuard(begun(InMemoryErasures(), done=done)).accepts_event(event)


def test_what_is_new_waits_for_the_end_and_is_kept_then() -> None:
    event = recorded(an_event(occurred_at=NOON + LATER))

    with pytest.raises(UnavailableError) as refused:
        ErasureGuard(begun(InMemoryErasures())).accepts_event(event)
    assert refused.value.code == "erasing"
    assert ErasureGuard(begun(InMemoryErasures(), done=True)).accepts_event(event)


def test_nobody_reads_or_writes_a_user_who_is_being_erased() -> None:
    gate = ErasureGuard(begun(InMemoryErasures()))

    with pytest.raises(NotFoundError):
        gate.ensure_visible(ADA)
    with pytest.raises(ConflictError):
        gate.ensure_writable(ADA)
    gate.ensure_visible(ADA.model_copy(update={"tenant": "zeta"}))
    gate.ensure_writable(ADA.model_copy(update={"user": "grace"}))


def test_a_process_asks_about_a_user_once_a_minute() -> None:
    ledger, clock = InMemoryErasures(), StoppedClock()
    heard = CachedErasures(ledger, clock)
    for _ in range(5):
        assert heard.find_erasure(ADA) is None
    begun(ledger)
    assert heard.find_erasure(ADA) is None
    assert ledger.asked == 1

    clock.advance(LEDGER_CACHE_LIFETIME)

    erasure = heard.find_erasure(ADA)
    assert erasure
    assert erasure.covers_moment(clock())


def test_an_erased_event_that_comes_back_is_dropped_and_counted() -> None:
    erasures = InMemoryErasures()
    extraction = Extraction(erasures=erasures)
    begun(erasures, done=True)

    assert extraction.deliver(a_message(said("I live in Lisbon."), "m1")) == []

    assert extraction.known() == {}
    assert extraction.dropped == ["acme"]


def test_a_new_event_comes_again_when_the_erasure_is_done() -> None:
    erasures = InMemoryErasures()
    extraction = Extraction(erasures=erasures)
    begun(erasures)
    message = a_message(said("I live in Lisbon.", occurred_at=NOON + LATER), "m1")

    assert extraction.deliver(message) == ["m1"]


def test_the_door_hides_a_user_at_once_and_names_the_job() -> None:
    door = ApiTestClient(scopes=("admin", "memory:read", "memory:write", "events:write"))
    asked = door.post("/v1/users/ada:erase", {})

    assert asked.status == 202
    assert door.get(asked.headers["location"]).json["status"] == "running"
    assert [event.payload["job_id"] for event in door.announcements.published] == [asked.json["job_id"]]
    assert door.get("/v1/users/ada/profile").status == 404
    assert door.put("/v1/users/ada/facts/home.city", {"value": "Rome"}).code == "erasing"
    refused = door.post("/v1/events", {"events": [{"user_id": "ada", "type": "page.viewed"}]})
    assert refused.json["rejected"][0]["code"] == "erased"
    assert door.get("/v1/users/grace/profile").status == 200
    assert door.post("/v1/users/ada:erase", {}, key="another").json["job_id"] == asked.json["job_id"]
