"""Documents in DynamoDB, and in the user's partition a note of which documents are theirs.

A deleted document leaves its version for three days. A text above 32 KB lies in the content store under a key
of its write's own, which `spilled` names: a write that loses its race removes what it kept, and no other. The
stream tells the function `index` of every change, and keeps a change for a day.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from membus.aws.dynamodb.keys import DOCUMENT_SK, ItemKey, document_pk, user_pk
from membus.aws.dynamodb.table import ABSENT, DynamoTable, Item, put_item, read_body
from membus.core.blobs import BlobStore, discard_text, is_large_text
from membus.core.clock import Clock
from membus.core.erasure import erasure_subject
from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.core.identity import Owner
from membus.search.model import Document, is_live

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

DELETED_DOCUMENT_LIFETIME = timedelta(days=3)
SPILLED_READ_TRIES = 3
"""A text may be replaced, and removed, between reading its item and following the pointer."""
DOCUMENT_NOTE = "DOC#"
WRITING = "writing a memory"


class DynamoDocuments:
    def __init__(self, table: "Table", contents: BlobStore, clock: Clock) -> None:
        self._table, self._contents, self._clock = DynamoTable(table), contents, clock

    def get_document(self, tenant: str, memory_id: str) -> Document:
        document = self.get_latest_version(tenant, memory_id)
        if document is None or document.deleted or not is_live(document.expires_at, self._clock()):
            raise NotFoundError("no such memory")
        return document

    def get_documents(self, tenant: str, memory_ids: Sequence[str]) -> list[Document]:
        """Read them one by one: a page is short, and each is a read of half a unit."""
        found: list[Document] = []
        for memory_id in memory_ids:
            with suppress(NotFoundError):
                found.append(self.get_document(tenant, memory_id))
        return found

    def get_latest_version(self, tenant: str, memory_id: str) -> Document | None:
        for _ in range(SPILLED_READ_TRIES):
            item = self._item(tenant, memory_id)
            if item is None:
                return None
            document = read_body(item, Document)
            if "spilled" not in item:
                return document
            text = self._contents.get_text(str(item["spilled"]))
            if text is not None:
                return document.model_copy(update={"text": text})
        raise UnavailableError("the text of this memory cannot be found")

    def put(self, document: Document) -> None:
        held = self._held(document)
        item = {**document_key(document.tenant_id, document.memory_id), "version": document.version, **held}
        expires = document.updated_at + DELETED_DOCUMENT_LIFETIME if document.deleted else document.expires_at
        if expires:
            item["expires_at"] = int(expires.timestamp()) + 1  # never before the moment itself
        write = put_item(item, "version = :read", {":read": document.version - 1})
        if document.version == 1:
            self._put_note(document)
            write = put_item(item, ABSENT)
        try:
            before = self._table.write(write, doing=WRITING, returns="ALL_OLD")
        except ConflictError as error:
            self._handle_conflict(document, held.get("spilled"), error)
        else:
            discard_text(self._contents, before.get("spilled"))

    def _item(self, tenant: str, memory_id: str) -> Item | None:
        return self._table.get(document_key(tenant, memory_id), doing="reading a memory")

    def _held(self, document: Document) -> dict[str, str]:
        """Return the attributes that hold the document; a large text is stored before, outside the item."""
        if not is_large_text(document.text):
            return {"body": document.model_dump_json()}
        key = f"{document_texts_prefix(document.tenant_id, document.user_id)}{uuid4().hex}"
        self._contents.put_text(key, document.text)
        return {"body": document.model_copy(update={"text": ""}).model_dump_json(), "spilled": key}

    def _handle_conflict(self, document: Document, key: str | None, error: ConflictError) -> None:
        """Raise the version in the way, unless it is this write itself, sent again after a lost answer."""
        stored = self._item(document.tenant_id, document.memory_id)
        if key and stored and stored.get("spilled") == key:
            return
        discard_text(self._contents, key)
        version = int(stored["version"]) if stored else 0
        raise ConflictError("the memory has changed", code="version_conflict", version=version) from error

    def _put_note(self, document: Document) -> None:
        """Note whose it is before it is there: a note too many does no harm, one too few hides it."""
        if document.user_id:
            owner = Owner(tenant=document.tenant_id, user=document.user_id)
            note = {"pk": user_pk(owner), "sk": f"{DOCUMENT_NOTE}{document.memory_id}"}
            self._table.write(put_item(note), doing=WRITING)


def document_texts_prefix(tenant: str, user: str | None) -> str:
    """Return where the large texts of a user lie, or those of no user: together, and without a name."""
    return f"documents/{tenant}/{erasure_subject(tenant, user)}/"


def document_key(tenant: str, memory_id: str) -> ItemKey:
    return {"pk": document_pk(tenant, memory_id), "sk": DOCUMENT_SK}
