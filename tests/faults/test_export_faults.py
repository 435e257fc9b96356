"""functions/export under crashes, concurrent runs and lost uploads: the same file, or none."""

import hashlib
import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest

from membus.core.errors import ConflictError, UnavailableError
from membus.states.model import AgentSession
from membus.transfer.model import EVENTS, STATES, Export, Manifest, section_of
from tests.factories import NOON, a_turn, an_event, recorded
from tests.fakes.crashing import Death, Fuse
from tests.support.exports import ExportSetup, an_export
from tests.unit.test_export import OWN, Household

EVENTS_TOLD = 200


def setup_of(household: Household) -> ExportSetup:
    """Return a setup with small pages and parts."""
    return ExportSetup(replace(household.sources, page_rows=8), part_bytes=9000)


@pytest.fixture(scope="module")
def household() -> Household:
    """Return Ada's life, whose words pack badly, so that it takes many parts."""
    household = Household()
    household.live()
    for number in range(EVENTS_TOLD):
        noise = "".join(hashlib.sha512(f"{number}-{part}".encode()).hexdigest() for part in range(8))
        event = an_event(
            f"n{number:03d}", occurred_at=NOON + timedelta(hours=number), session_id=f"s{number % 3}"
        )
        event = event.model_copy(update={"payload": {"text": f"{noise}{number}"}})
        household.episodes.record_event(recorded(event), extracted="v1")
    for number in range(6):
        household.conversations.add_turn(
            "acme", OWN, a_turn(number + 2), request_key=f"t{number}", title=None
        )
    session = AgentSession(tenant="acme", agent=event.agent_id, session_id="s1")
    household.states.put_state(
        session, {"step": 3}, expires_at=NOON + timedelta(days=9), expected_version=None
    )
    return household


@pytest.fixture(scope="module")
def whole(household: Household) -> bytes:
    desk = setup_of(household)
    done = desk.run()
    assert done.parts > 5, "or the sweep sweeps nothing"
    kept: bytes = desk.archives.kept[done.file_key]
    return kept


def rows(whole: bytes, section: str) -> list[Any]:
    with ZipFile(io.BytesIO(whole)) as opened:
        manifest = Manifest.model_validate_json(opened.read("manifest.json"))
        names = [name for name in manifest.files if section_of(name) == section]
        return [json.loads(line) for name in names for line in opened.read(name).splitlines()]


def test_export_of_many_parts_is_one_zip_with_each_row_once(whole: bytes) -> None:
    with ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        manifest = Manifest.model_validate_json(opened.read("manifest.json"))
        assert set(opened.namelist()) == {*manifest.files, "manifest.json"}
        for name, entry in manifest.files.items():
            data = opened.read(name)
            assert (data.count(b"\n"), len(data)) == (entry.rows, entry.bytes)
            assert hashlib.sha256(data).hexdigest() == entry.sha256

    told = [row["event"]["event_id"] for row in rows(whole, EVENTS)]
    assert len(told) == len(set(told)) == EVENTS_TOLD + 3
    assert [row["event"]["occurred_at"] for row in rows(whole, EVENTS)] == sorted(
        row["event"]["occurred_at"] for row in rows(whole, EVENTS)
    )
    said = [
        (row["conversation_id"], row["message_id"])
        for row in rows(whole, "conversations.jsonl")
        if row["kind"] == "message"
    ]
    assert len(said) == len(set(said)) == 15
    assert {row["session_id"] for row in rows(whole, STATES)} == {"s1"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("fault", [Death(), UnavailableError("the line went dead")])
def test_crash_of_an_export_at_any_call_leaves_the_same_file(
    household: Household, whole: bytes, fault: BaseException, *, after: bool
) -> None:
    at, died = 0, True
    while died:
        at, died = at + 1, False
        desk = setup_of(household)
        sound = desk.exports, desk.archives
        desk.blow(Fuse(at, after=after, fault=fault))
        try:
            desk.run()
        except (Death, UnavailableError):
            died = True
            assert all(kept == whole for kept in desk.archives.kept.values()), "nobody sees a part of it"
        desk.exports, desk.archives = sound
        done = desk.run()

        assert (done.status, desk.archives.kept[done.file_key]) == ("done", whole)
        assert sum(map(bool, desk.archives.uploads.values())) == 0, "no part stays behind"
    assert at > 15, "or parts were few"


def test_export_out_of_time_continues_where_it_was(household: Household, whole: bytes) -> None:
    desk = setup_of(household)
    left = iter((900.0, 900.0, 900.0, 100.0))
    desk.seconds_left = lambda: next(left)
    export = desk.run()
    assert (export.status, export.parts) == ("running", 2)

    desk.seconds_left = lambda: 900
    assert desk.archives.kept == {}
    done = desk.run()
    assert desk.archives.kept[done.file_key] == whole
    assert desk.archives._begun == 1, "of what was written nothing was written again"


def test_concurrent_runs_of_one_export_leave_one_whole_file(household: Household, whole: bytes) -> None:
    desk = setup_of(household)
    asked = desk.exports.start_export(an_export())
    halfway = iter((900.0, 900.0, 900.0, 100.0))
    desk.seconds_left = lambda: next(halfway)
    stale = desk.exporter().advance_export(asked)

    desk.seconds_left = lambda: 900
    done = desk.run()
    with pytest.raises(ConflictError):
        desk.exporter().advance_export(stale)
    assert desk.exports.get_export("acme", done.job_id).status == "done"
    assert desk.archives.kept[done.file_key] == whole


def test_part_of_a_concurrent_run_is_never_used(household: Household, whole: bytes) -> None:
    desk = setup_of(household)
    few = iter((900.0, 900.0, 900.0, 100.0))
    desk.seconds_left = lambda: next(few)
    export = desk.run()
    desk.archives.add_part(export.file_key, str(export.upload), 1, b"of a run that was behind")

    desk.seconds_left = lambda: 900
    done = desk.run()

    assert (done.status, done.attempt) == ("done", 2)
    assert desk.archives.kept[done.file_key] == whole


def test_uploads_lost_every_time_fail_the_export(household: Household) -> None:
    class Forgetful(ExportSetup):
        def run(self, export: Export | None = None) -> Export:
            self.archives.uploads = _Losing()
            return super().run(export)

    done = Forgetful(household.sources).run()

    assert (done.status, done.attempt, done.reason) == ("failed", 5, "the archive's parts are gone")


class _Losing(dict[Any, Any]):
    def __setitem__(self, *_: object) -> None:
        """Keep nothing."""
