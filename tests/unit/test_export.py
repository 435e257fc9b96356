"""functions/export: a user's data in one file, which is the same for the same data."""

import hashlib
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest

from functions.export.sections import ExportSources
from functions.export.zip_part import EPOCH, ZipPart
from membus import __version__
from membus.core.identity import Owner
from membus.facts.candidates import ReviewRequest, review_item_for
from membus.facts.observation import Trust
from membus.search.model import Document
from membus.states.model import AgentSession
from membus.transfer.model import EVENTS, STATES, Manifest
from tests.factories import (
    ADA,
    NOON,
    a_conversation,
    a_summary,
    a_turn,
    an_event,
    an_observation,
    recorded,
    said,
)
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.documents import InMemoryDocuments
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.facts import InMemoryFacts
from tests.fakes.memories import InMemoryMemories
from tests.fakes.review_queue import InMemoryReviewQueue
from tests.fakes.states import InMemoryStates
from tests.fakes.summaries import InMemorySummaries
from tests.support.exports import ExportSetup, archived_rows
from tests.support.extraction import Extraction, observant
from tests.support.memories import fill

HOUR = timedelta(hours=1)
OWN, SHARED = "01JZZZZZZZZZZZZZZZZZZZZZZZ", "01JZZZZZZZZZZZZZZZZZZZZZZY"


class Household:
    """Ada's data in every store, beside that of others."""

    def __init__(self) -> None:
        clock = StoppedClock(NOON + HOUR)
        self.episodes = InMemoryEpisodes()
        self.facts = InMemoryFacts(self.episodes)
        shared = a_conversation(SHARED, user_id="bob", members=(ADA.user,))
        self.conversations = InMemoryConversations(clock, a_conversation(OWN), shared)
        self.summaries = InMemorySummaries(self.conversations)
        self.documents, self.index = InMemoryDocuments(clock), InMemoryMemories()
        self.held_facts = InMemoryReviewQueue(clock)
        self.states, self.contents = InMemoryStates(clock), InMemoryBlobs()
        self.sources = ExportSources(
            episodes=self.episodes,
            facts=self.facts,
            conversations=self.conversations,
            summaries=self.summaries,
            documents=self.documents,
            index=self.index,
            review_queue=self.held_facts,
            states=self.states,
            blobs=self.contents,
            clock=clock,
        )

    def live(self) -> None:
        extraction = Extraction(
            observant(), episodes=self.episodes, facts=self.facts, review_queue=self.held_facts
        )
        extraction.send(
            said("I live in Lisbon", "e1"),
            said("I like tea", "e2", occurred_at=NOON + HOUR),
            said("I live in Rome", "b1", owner=Owner(tenant="acme", user="bob")),
            an_event("c1", type="fact.retracted", payload={"key": "likes.tea"}, occurred_at=NOON + 2 * HOUR),
        )
        self.held_facts.add_items(
            ADA, [review_item_for(ReviewRequest(reason="hearsay", observation=an_observation("Porto")))]
        )
        for conversation in (OWN, SHARED):
            self.conversations.add_turn("acme", conversation, a_turn(), request_key=conversation, title=None)
        bobs = a_turn(1)
        bobs = bobs.model_copy(
            update={"user": bobs.user.model_copy(update={"author": "bob", "content": "secret"})}
        )
        self.conversations.add_turn("acme", SHARED, bobs, request_key="bob", title=None)
        self.document("mem_2", "The menu", "ada")
        self.document("mem_1", "The plan", "ada")
        self.document("mem_3", "The diary", "bob")

    def document(self, memory_id: str, text: str, user: str) -> None:
        document = Document(
            memory_id=memory_id, tenant_id="acme", user_id=user, text=text, created_at=NOON, updated_at=NOON
        )
        self.documents.put(document)
        fill(self.index, document.as_memory())


@pytest.fixture
def household() -> Household:
    household = Household()
    household.live()
    return household


def exported(household: Household, owner: Owner = ADA) -> tuple[bytes, Manifest]:
    archive = archived_rows(household.sources, owner, created_at=NOON + 3 * HOUR)
    with ZipFile(io.BytesIO(archive)) as opened:
        return archive, Manifest.model_validate_json(opened.read("manifest.json"))


def lines(archive: bytes, name: str) -> list[dict[str, Any]]:
    with ZipFile(io.BytesIO(archive)) as opened:
        return [json.loads(line) for line in opened.read(name).splitlines()]


def test_export_has_the_users_events_in_time_order_as_recorded(household: Household) -> None:
    archive, _ = exported(household)

    rows = lines(archive, EVENTS)
    assert [row["event"]["event_id"] for row in rows] == ["e1", "e2", "c1"]
    assert rows[0]["event"]["payload"] == {"text": "I live in Lisbon"}
    assert set(rows[0]) == {"event", "learned_at"}


def test_export_has_every_observation_of_current_and_retracted_facts(
    household: Household,
) -> None:
    facts = {row["key"]: row for row in lines(exported(household)[0], "facts.jsonl")}

    assert sorted(facts) == ["dislikes.tea", "home.city", "likes.tea"]
    assert facts["home.city"]["fact"]["value"] == "Lisbon"
    assert [seen["trust"] for seen in facts["likes.tea"]["history"]] == [Trust.USER_STATED, Trust.CORRECTED]
    assert facts["likes.tea"]["fact"]["value"] is None


def test_export_of_a_member_has_only_their_own_messages(household: Household) -> None:
    household.summaries._summaries["acme", OWN]["SUMMARY#0#x"] = a_summary()
    household.summaries._summaries["acme", SHARED]["SUMMARY#0#x"] = a_summary("bob's secret")
    rows = lines(exported(household)[0], "conversations.jsonl")

    kinds = [(row["conversation_id"], row["kind"], row.get("author")) for row in rows]
    assert kinds == [
        (SHARED, "conversation", None),
        (SHARED, "message", "ada"),
        (OWN, "conversation", None),
        (OWN, "message", "ada"),
        (OWN, "message", "default"),
        (OWN, "summary", None),
    ]


def test_export_has_documents_and_review_items(household: Household) -> None:
    archive, _ = exported(household)

    assert [row["memory_id"] for row in lines(archive, "documents.jsonl")] == ["mem_1", "mem_2"]
    assert [row["reason"] for row in lines(archive, "quarantine.jsonl")] == ["hearsay"]


def test_state_that_names_another_user_is_not_exported(household: Household) -> None:
    for number, user in enumerate(("ada", "bob", None)):
        event = an_event(f"s{number}", session_id=f"s{number}")
        household.episodes.record_event(recorded(event), extracted=None)
        where = AgentSession(tenant="acme", agent=event.agent_id, session_id=f"s{number}")
        household.states.put_state(
            where, {"step": number}, expires_at=NOON + 9 * HOUR, expected_version=None, user=user
        )

    archive, _ = exported(household)

    assert {row["session_id"] for row in lines(archive, STATES)} == {"s0", "s2"}


def test_manifest_has_size_and_checksum_of_every_file(household: Household) -> None:
    archive, manifest = exported(household)

    with ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert {each.date_time for each in opened.infolist()} == {EPOCH}, "whenever it is written"
        assert Manifest.model_validate_json(opened.read("manifest.json")) == manifest
        for name, entry in manifest.files.items():
            data = opened.read(name)
            assert (entry.rows, entry.bytes) == (data.count(b"\n"), len(data))
            assert entry.sha256 == hashlib.sha256(data).hexdigest()
    assert (manifest.tenant, manifest.user, manifest.membus) == ("acme", "ada", __version__)


def test_same_data_gives_the_same_export_file(household: Household) -> None:
    other = Household()
    other.live()

    assert exported(household)[0] == exported(other)[0]


def test_export_of_an_unknown_user_is_empty(household: Household) -> None:
    _, manifest = exported(household, Owner(tenant="zeta", user="ada"))

    assert {entry.rows for entry in manifest.files.values()} == {0}


def test_unavailable_store_leaves_no_export_file(household: Household) -> None:
    household.index.away = True
    desk = ExportSetup(household.sources)

    with pytest.raises(Exception, match="away"):
        desk.run()
    assert desk.archives.kept == {}


def test_part_keeps_packed_bytes_and_one_line_in_memory() -> None:
    def endless() -> Iterator[str]:
        yield from (f"{number} {'x' * 1000}" for number in range(20_000))

    part = ZipPart(0)
    tracemalloc.start()
    part.add_file("events.jsonl", endless())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert part.pieces[0].bytes > 20_000_000
    assert most < 2_000_000


def test_export_reads_every_page_of_a_store() -> None:
    household = Household()
    for number in range(450):
        household.episodes.record_event(
            recorded(an_event(f"e{number:03d}", occurred_at=NOON + number * HOUR)), extracted="v1"
        )

    archive, manifest = exported(household)

    assert manifest.files[EVENTS].rows == 450
    assert [row["event"]["event_id"] for row in lines(archive, EVENTS)] == [f"e{n:03d}" for n in range(450)]
