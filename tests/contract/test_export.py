"""functions/export over the real adapters: both tiers, large payloads, and no other user's data."""

import io
import json
from zipfile import ZipFile

import pytest

from functions.export.sections import ExportSources
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_summaries import DynamoSummaries
from membus.core.identity import Owner
from membus.episodes.archive.reader import TieredEpisodes
from membus.episodes.dynamodb import DynamoEpisodeReader, DynamoEpisodes
from membus.facts.dynamodb import DynamoFacts
from membus.facts.dynamodb_review_queue import DynamoReviewQueue
from membus.search.dynamodb import DynamoDocuments
from membus.search.model import Document
from membus.states.dynamodb import DynamoStates
from membus.transfer.model import EVENTS, Manifest
from tests.factories import ADA, NOON, a_conversation, a_turn, an_event, an_observation, learn, recorded
from tests.fakes.clock import StoppedClock
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.memories import InMemoryMemories
from tests.strict import strict_aws
from tests.support.exports import archived_rows
from tests.support.memories import fill
from tests.support.tables import make_bucket, make_table

LARGE = "a long story " * 4_000


@pytest.fixture(scope="module")
def archive() -> ZipFile:
    """Return what Ada takes along, from stores in which Bob lives beside her."""
    with strict_aws():
        return _exported(_sources())


def test_export_has_each_event_of_both_tiers_once(archive: ZipFile) -> None:
    rows = [json.loads(line) for line in archive.read(EVENTS).splitlines()]

    assert [row["event"]["event_id"] for row in rows] == ["cold", "both", "hot"]
    assert rows[2]["event"]["payload"]["text"] == LARGE


def test_export_has_only_the_users_own_data(archive: ZipFile) -> None:
    counts = {name: entry.rows for name, entry in _manifest(archive).files.items()}

    assert counts == {
        "events.jsonl": 3,
        "facts.jsonl": 1,
        "conversations.jsonl": 3,
        "documents.jsonl": 1,
        "quarantine.jsonl": 0,
        "states.jsonl": 0,
    }
    assert b"bob" not in b"".join(archive.read(name) for name in archive.namelist())


def _manifest(archive: ZipFile) -> Manifest:
    return Manifest.model_validate_json(archive.read("manifest.json"))


def _exported(sources: ExportSources) -> ZipFile:
    return ZipFile(io.BytesIO(archived_rows(sources)))


def _sources() -> ExportSources:
    memory, talks, contents, clock = (
        make_table("memory"),
        make_table("conversations"),
        make_bucket(),
        StoppedClock(),
    )
    cold, hot, index = InMemoryEpisodes(), DynamoEpisodes(memory, contents), InMemoryMemories()
    reader = TieredEpisodes(DynamoEpisodeReader(memory, contents, clock), cold)
    sources = ExportSources(
        episodes=reader,
        facts=DynamoFacts(memory),
        conversations=DynamoConversations(talks, clock),
        summaries=DynamoSummaries(talks),
        documents=DynamoDocuments(memory, contents, clock),
        index=index,
        review_queue=DynamoReviewQueue(memory, clock),
        states=DynamoStates(memory, contents, clock),
        blobs=contents,
        clock=clock,
    )
    for owner in (ADA, Owner(tenant=ADA.tenant, user="bob"), Owner(tenant="zeta", user=ADA.user)):
        _live(owner, sources, cold, hot, index)
    return sources


def _live(
    owner: Owner, sources: ExportSources, cold: InMemoryEpisodes, hot: DynamoEpisodes, index: InMemoryMemories
) -> None:
    mine = "" if owner == ADA else f"-{owner.user}-{owner.tenant}"
    places: list[tuple[str, int, list[InMemoryEpisodes | DynamoEpisodes]]] = [
        ("cold", 1, [cold]),
        ("both", 2, [cold, hot]),
        ("hot", 3, [hot]),
    ]
    for name, day, tiers in places:
        payload = {"text": LARGE if name == "hot" else name}
        event = an_event(f"{name}{mine}", owner=owner, occurred_at=NOON.replace(day=day), payload=payload)
        for tier in tiers:
            tier.record_event(recorded(event), extracted="v1")
    assert isinstance(sources.facts, DynamoFacts)
    learn(sources.facts, owner, an_observation(), an_observation("Rome", event_id="e2"))
    conversation = a_conversation(
        f"01JZZZZZZZZZZZZZZZZZZZZZZZ{mine}", tenant_id=owner.tenant, user_id=owner.user
    )
    sources.conversations.create_conversation(conversation, request_key=f"r{mine}")
    sources.conversations.add_turn(
        owner.tenant, conversation.conversation_id, a_turn(), request_key="t", title=None
    )
    document = Document(
        memory_id=f"mem{mine}",
        tenant_id=owner.tenant,
        user_id=owner.user,
        text="x",
        created_at=NOON,
        updated_at=NOON,
    )
    sources.documents.put(document)
    fill(index, document.as_memory())
