"""Exports through the API and their job: requested once, downloadable for a week, nameless at the end."""

import io
from datetime import timedelta
from zipfile import ZipFile

import pytest

from functions.export.usecase import Exporter
from membus.core.erasure import Erasure, erasure_subject
from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.erasure.guard import ErasureGuard
from membus.transfer.model import FILE_LIFETIME, Export
from scripts.transfer.export_command import ExportWaiter
from tests.factories import ADA, NOON
from tests.fakes.clock import StoppedClock
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.exports import InMemoryExportJobs
from tests.support.api_client import ApiTestClient
from tests.support.exports import ExportSetup, an_export
from tests.unit.test_export import Household

PATH = "/v1/users/ada:export"


@pytest.fixture
def door() -> ApiTestClient:
    door = ApiTestClient()
    door.scopes = ("admin",)
    return door


def worked(door: ApiTestClient, household: Household) -> Export:
    """Do what the announcement asks for, as the function does."""
    (due,) = door.announcements.published
    exporter = Exporter(
        sources=household.sources,
        jobs=door.exports,
        files=door.archives,
        ensure_visible=ErasureGuard(door.erasures).ensure_visible,
        clock=door.clock,
        seconds_left=lambda: 900,
    )
    return exporter.advance_export(door.exports.get_export(due.tenant_id, str(due.payload["job_id"])))


@pytest.fixture
def household() -> Household:
    household = Household()
    household.live()
    return household


def test_export_is_requested_written_and_downloaded(door: ApiTestClient, household: Household) -> None:
    asked = door.post(PATH, {})
    where = asked.headers["location"]

    assert asked.status == 202
    assert (door.get(where).json["status"], door.get(where).json["url"]) == ("running", None)
    worked(door, household)
    done = door.get(where).json
    assert (done["kind"], done["status"], done["rows"]["events.jsonl"]) == ("export", "done", 3)
    (place,) = door.archives.kept
    assert place in done["url"]
    assert done["url_expires_at"] < done["gone_at"]
    with ZipFile(io.BytesIO(door.archives.kept[place])) as archive:
        assert archive.testzip() is None


def test_repeated_export_request_is_one_job_that_runs_once(door: ApiTestClient, household: Household) -> None:
    first = door.post(PATH, {}).json["job_id"]
    worked(door, household)
    kept = dict(door.archives.kept)

    assert door.post(PATH, {}).json["job_id"] == first
    assert len(door.announcements.published) == 1, "what is done wakes nobody"
    assert door.post(PATH, {}, key="another").json["job_id"] != first
    done = door.exports.get_export("acme", first)
    assert ExportSetup(household.sources).exporter().advance_export(done) == done
    assert door.archives.kept == kept


def test_finished_export_job_names_no_user(door: ApiTestClient, household: Household) -> None:
    door.post(PATH, {})
    done = worked(door, household)

    assert done.user is None
    assert "ada" not in done.model_dump_json()
    assert erasure_subject("acme", "ada") in done.file_key


def test_export_job_and_link_are_gone_after_a_week(door: ApiTestClient, household: Household) -> None:
    where = door.post(PATH, {}).headers["location"]
    worked(door, household)

    door.clock.advance(FILE_LIFETIME)
    assert door.get(where).status == 404


def test_export_job_of_another_tenant_is_not_found(door: ApiTestClient) -> None:
    where = door.post(PATH, {}).headers["location"]
    door.tenant = "zeta"

    assert door.get(where).status == 404


def test_unavailable_bus_is_reported_and_the_same_request_announces_again(
    door: ApiTestClient, household: Household
) -> None:
    door.announcements.refusing = {"*": "InternalFailure"}
    assert door.post(PATH, {}).status == 503

    door.announcements.refusing = {}
    assert door.post(PATH, {}).status == 202
    assert worked(door, household).status == "done"


def erasing() -> ErasureGuard:
    line = Erasure(tenant="acme", subject=erasure_subject("acme", "ada"), before=NOON, running=True)
    return ErasureGuard(InMemoryErasures(line))


def test_user_being_erased_is_not_exported(household: Household) -> None:
    desk = ExportSetup(household.sources)
    desk.show = erasing().ensure_visible
    done = desk.run()

    assert (done.status, done.user, desk.archives.kept) == ("failed", None, {})


def test_erasure_during_an_export_leaves_no_file_and_no_part(household: Household) -> None:
    gates = iter((ErasureGuard(InMemoryErasures()), ErasureGuard(InMemoryErasures()), erasing()))
    desk = ExportSetup(household.sources)
    desk.show = lambda owner: next(gates).ensure_visible(owner)

    assert desk.run().status == "failed"
    assert (desk.archives.kept, desk.archives.uploads) == ({}, {})


def test_dry_run_of_an_export_counts_and_stores_nothing(household: Household) -> None:
    desk = ExportSetup(household.sources)
    done = desk.run(an_export(dry_run=True))

    assert (done.rows["documents.jsonl"], done.file_expires_at) == (2, None)
    assert (desk.archives.kept, desk.archives.uploads) == ({}, {})


def test_unavailable_store_leaves_the_export_to_be_retried(household: Household) -> None:
    desk = ExportSetup(household.sources)
    desk.archives.away = True

    with pytest.raises(UnavailableError):
        desk.run()
    assert desk.exports.get_export("acme", "export_1").status == "running"
    desk.archives.away = False
    assert desk.run().status == "done"


def test_the_command_waits_until_the_job_has_ended() -> None:
    exports = InMemoryExportJobs(StoppedClock())
    exports.start_export(an_export())
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            exports.save_progress(an_export(status="done"))

    assert ExportWaiter(exports, pause).wait_until_ended(an_export()).status == "done"
    assert len(looks) == 3
    with pytest.raises(ConflictError, match="erased"):
        ExportWaiter(exports).wait_until_ended(an_export(status="failed", reason="erased"))
    with pytest.raises(NotFoundError):
        ExportWaiter(exports, lambda _: None).wait_until_ended(an_export(job_id="export_2"))


def test_a_job_that_takes_too_long_says_how_to_fetch_it() -> None:
    exports = InMemoryExportJobs(StoppedClock())
    exports.start_export(an_export())

    with pytest.raises(UnavailableError, match="--job export_1"):
        ExportWaiter(exports, lambda _: None).wait_until_ended(an_export())


def test_key_of_an_export_file_does_not_name_its_user() -> None:
    assert an_export().file_key.startswith(f"exports/acme/{erasure_subject(ADA.tenant, ADA.user)}/")
    assert an_export(status="done", ended_at=NOON).file_expires_at == NOON + timedelta(days=7)
