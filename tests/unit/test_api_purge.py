"""`DELETE …?purge=true`: what a purge would take, who may ask for it, and the job that it is."""

import pytest

from membus.core.erasure import LegalHold
from tests.factories import ADA, NOON, said
from tests.support.api_client import EVERYDAY, ApiTestClient
from tests.support.extraction import Extraction, observant

EVENT, FACT = "/v1/users/ada/events/e1", "/v1/users/ada/facts/home.city"
PURGE = "purge=true"


@pytest.fixture
def known(door: ApiTestClient) -> ApiTestClient:
    """Return the API with two events of Ada, the second of which replaces the first one's fact."""
    door.scopes = (*EVERYDAY, "admin")
    extraction = Extraction(observant(), episodes=door.episodes, facts=door.facts)
    extraction.send(said("I live in Lisbon", "e1"))
    extraction.send(said("I live in Porto", "e2"))
    return door


def delete(door: ApiTestClient, path: str, query: str = "") -> tuple[int, dict[str, object]]:
    answer = door.call("DELETE", path, query=query, headers={})
    return int(answer.status), answer.json


def test_preview_shows_what_would_go_and_changes_nothing(known: ApiTestClient) -> None:
    status, preview = delete(known, "/v1/users/ada/events/e2", f"{PURGE}&dry_run=true")

    assert status == 200
    assert preview["facts"] == [{"key": "home.city", "before": "Porto", "after": "Lisbon"}]
    assert [each["event_id"] for each in preview["events"]] == ["e2"]  # type: ignore[attr-defined]
    assert (preview["observations"], preview["turns"]) == (1, 0)
    assert known.get(FACT).json["value"] == "Porto"
    assert known.erasures.jobs == {}


def test_fact_is_purged_with_every_event_that_says_it(known: ApiTestClient) -> None:
    status, preview = delete(known, FACT, f"{PURGE}&dry_run=true")

    assert status == 200
    assert [each["event_id"] for each in preview["events"]] == ["e1", "e2"]  # type: ignore[attr-defined]


def test_purge_is_a_job_that_hides_nobody_and_is_announced(known: ApiTestClient) -> None:
    status, job = delete(known, EVENT, PURGE)

    assert (status, job["kind"], job["status"]) == (202, "purge", "running")
    (due,) = known.announcements.published
    assert (due.type, due.payload) == ("erasure.due", {"job_id": job["job_id"]})
    assert known.get(FACT).status == 200
    assert known.get(f"/v1/jobs/{job['job_id']}").json["kind"] == "purge"
    assert known.erasures.jobs["acme", str(job["job_id"])].events == ("e1",)


@pytest.mark.parametrize("path", [EVENT, FACT])
def test_purge_takes_the_scope_of_administrators(known: ApiTestClient, path: str) -> None:
    known.scopes = EVERYDAY

    status, problem = delete(known, path, PURGE)

    assert (status, problem["code"]) == (403, "scope_missing")
    assert known.erasures.jobs == {}


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        (EVENT, "", 422, "purge_missing"),
        (FACT, "dry_run=true", 422, "purge_missing"),
        ("/v1/users/ada/events/e9", PURGE, 404, "not_found"),
        ("/v1/users/bob/events/e1", PURGE, 404, "not_found"),
        ("/v1/users/ada/facts/likes.jazz", PURGE, 404, "not_found"),
        (EVENT, f"{PURGE}&dry_run=perhaps", 422, "invalid"),
    ],
)
def test_purge_of_nothing_or_by_half_is_refused(
    known: ApiTestClient, path: str, query: str, status: int, code: str
) -> None:
    answer, problem = delete(known, path, query)

    assert (answer, problem["code"]) == (status, code)
    assert known.erasures.jobs == {}


def test_legal_hold_forbids_a_purge(known: ApiTestClient) -> None:
    known.erasures.add_hold(LegalHold(tenant="acme", user="ada", reason="court", since=NOON))

    status, problem = delete(known, EVENT, PURGE)

    assert (status, problem["code"]) == (409, "legal_hold")


def test_fact_without_purge_is_taken_back_as_before(known: ApiTestClient) -> None:
    assert known.delete(FACT).status == 204
    assert [each.value for each in known.facts.list_observations(ADA, "home.city")][-1] is None
