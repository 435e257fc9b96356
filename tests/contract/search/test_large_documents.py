"""Documents in DynamoDB with their text in S3: no race loses one, and none is left behind."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from membus.core.errors import ConflictError, UnavailableError
from membus.search.dynamodb import DynamoDocuments
from membus.search.model import Document
from tests.factories import NOON
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock
from tests.strict import strict_aws
from tests.support.tables import make_table

LONG, LONGER = "tea " * 20_000, "coffee " * 20_000


@dataclass(frozen=True)
class Shelf:
    documents: DynamoDocuments
    contents: InMemoryBlobs

    @property
    def kept(self) -> list[str]:
        return list(self.contents.kept.values())


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    contents = InMemoryBlobs()
    with strict_aws():
        yield Shelf(DynamoDocuments(make_table("memory"), contents, StoppedClock()), contents)


def a_document(version: int, text: str, **fields: object) -> Document:
    defaults = {
        "memory_id": "mem_1",
        "tenant_id": "acme",
        "user_id": "ada",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Document.model_validate(defaults | {"version": version, "text": text} | fields)


def test_replaced_large_text_is_deleted(shelf: Shelf) -> None:
    shelf.documents.put(a_document(1, LONG))
    shelf.documents.put(a_document(2, LONGER))
    assert shelf.kept == [LONGER]

    shelf.documents.put(a_document(3, "", deleted=True))
    assert shelf.kept == []


def test_write_that_lost_a_race_deletes_its_own_text_only(shelf: Shelf) -> None:
    shelf.documents.put(a_document(1, LONG))

    with pytest.raises(ConflictError):
        shelf.documents.put(a_document(1, LONGER))

    assert shelf.kept == [LONG]
    assert shelf.documents.get_document("acme", "mem_1").text == LONG


def test_document_is_not_written_without_its_large_text(shelf: Shelf) -> None:
    shelf.contents.down = True
    with pytest.raises(UnavailableError):
        shelf.documents.put(a_document(1, LONG))

    assert shelf.documents.get_latest_version("acme", "mem_1") is None


def test_lost_large_text_is_an_error_and_not_an_empty_document(shelf: Shelf) -> None:
    shelf.documents.put(a_document(1, LONG))
    shelf.contents.kept.clear()

    with pytest.raises(UnavailableError):
        shelf.documents.get_document("acme", "mem_1")


def test_large_texts_of_a_user_share_a_prefix_that_does_not_name_them(shelf: Shelf) -> None:
    shelf.documents.put(a_document(1, LONG))
    shelf.documents.put(a_document(1, LONG, memory_id="mem_2"))

    folders = {key.rpartition("/")[0] for key in shelf.contents.kept}
    assert len(folders) == 1
    assert "ada" not in folders.pop()
