"""The port DocumentStore: versions follow each other; deleted and expired documents are absent."""

from datetime import timedelta
from typing import Any

import pytest

from membus.core.errors import ConflictError, NotFoundError
from membus.search.dynamodb import DynamoDocuments
from membus.search.model import Document
from membus.search.ports import DocumentStore
from tests.factories import NOON
from tests.fakes.clock import StoppedClock
from tests.fakes.documents import InMemoryDocuments
from tests.support.backends import OnEveryBackend


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def documents(on_every_backend: OnEveryBackend, clock: StoppedClock) -> DocumentStore:
    return on_every_backend(
        lambda: InMemoryDocuments(clock),
        lambda aws: DynamoDocuments(aws.get_table("memory"), aws.get_blobs(), clock),
    )


def a_document(tenant: str, **fields: Any) -> Document:
    defaults = {
        "memory_id": "mem_1",
        "tenant_id": tenant,
        "user_id": "ada",
        "text": "tea",
        "created_at": NOON,
        "updated_at": NOON,
        "metadata": {"n": 1.5, "deep": {"er": ["x", None, True]}},
    }
    return Document.model_validate(defaults | fields)


def test_a_document_comes_back_as_it_was_put(documents: DocumentStore, tenant: str) -> None:
    document = a_document(tenant)
    documents.put(document)

    assert documents.get_document(tenant, "mem_1") == document
    assert documents.get_documents(tenant, ["mem_2", "mem_1"]) == [document]


def test_document_of_another_tenant_is_not_found(documents: DocumentStore, tenant: str) -> None:
    documents.put(a_document(tenant))

    with pytest.raises(NotFoundError):
        documents.get_document(f"{tenant}x", "mem_1")
    assert documents.get_latest_version(f"{tenant}x", "mem_1") is None
    documents.put(a_document(f"{tenant}x"))


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_version_that_does_not_follow_is_a_conflict_that_names_the_stored_one(
    documents: DocumentStore, tenant: str, version: int
) -> None:
    documents.put(a_document(tenant))
    documents.put(a_document(tenant, version=2, text="coffee"))

    with pytest.raises(ConflictError) as lost:
        documents.put(a_document(tenant, version=version, text="lost"))
    assert lost.value.version == 2
    assert documents.get_document(tenant, "mem_1").text == "coffee"


def test_change_of_a_missing_document_makes_nothing(documents: DocumentStore, tenant: str) -> None:
    with pytest.raises(ConflictError):
        documents.put(a_document(tenant, version=2))
    assert documents.get_latest_version(tenant, "mem_1") is None


def test_deleted_document_is_gone_and_keeps_its_version(documents: DocumentStore, tenant: str) -> None:
    documents.put(a_document(tenant))
    documents.put(a_document(tenant, version=2, text="", deleted=True))

    assert documents.get_documents(tenant, ["mem_1"]) == []
    last = documents.get_latest_version(tenant, "mem_1")
    assert last
    assert (last.version, last.deleted) == (2, True)
    documents.put(a_document(tenant, version=3, text="back"))
    assert documents.get_document(tenant, "mem_1").text == "back"


def test_a_document_is_there_until_the_moment_it_expires(
    documents: DocumentStore, clock: StoppedClock, tenant: str
) -> None:
    documents.put(a_document(tenant, expires_at=NOON + timedelta(seconds=2)))

    clock.advance(timedelta(seconds=1))
    assert documents.get_document(tenant, "mem_1").text == "tea"
    clock.advance(timedelta(seconds=1))
    with pytest.raises(NotFoundError):
        documents.get_document(tenant, "mem_1")


def test_a_text_larger_than_any_item_comes_back_whole(documents: DocumentStore, tenant: str) -> None:
    document = a_document(tenant, text="Zürich 🗝 " * 100_000, metadata={})
    documents.put(document)
    documents.put(changed := document.model_copy(update={"version": 2, "metadata": {"n": 1}}))

    assert documents.get_documents(tenant, ["mem_1"]) == [changed]
    documents.put(a_document(tenant, version=3, text="short now"))
    assert documents.get_document(tenant, "mem_1").text == "short now"
