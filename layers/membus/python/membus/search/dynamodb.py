"""Documents in DynamoDB: pk `T#<tenant>#D#<memory id>`, sk `DOC`.

A deleted one leaves its version for three days.

A user's partition, pk `T#<tenant>#U#<user>`, sk `DOC#<memory id>`, says which documents are theirs.

A text above 32 KB lies in the content store under a key of its write's own, which `spilled` names: a write
that loses its race removes what it kept, and no other.

The stream tells the index function of every change, and a stream keeps a change for a day.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.core.blobs import BlobStore, is_large_text
from membus.core.clock import Clock
from membus.core.erasure import erasure_subject
from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.search.model import Document, is_live

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

DELETED_DOCUMENT_LIFETIME = timedelta(days=3)
SPILLED_READ_TRIES = 3
"""A text may be replaced, and removed, between reading its item and following the pointer."""


class DynamoDocuments:
    def __init__(self, table: "Table", contents: BlobStore, clock: Clock) -> None:
        self._table, self._contents, self._clock = table, contents, clock

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
            if item is None or "spilled" not in item:
                return Document.model_validate_json(str(item["body"])) if item else None
            text = self._contents.get_text(str(item["spilled"]))
            if text is not None:
                return Document.model_validate_json(str(item["body"])).model_copy(update={"text": text})
        raise UnavailableError("the text of this memory cannot be found")

    def put(self, document: Document) -> None:
        held = self._held(document)
        item = {**document_key(document.tenant_id, document.memory_id), "version": document.version, **held}
        if (
            expires := document.updated_at + DELETED_DOCUMENT_LIFETIME
            if document.deleted
            else document.expires_at
        ):
            item["expires_at"] = int(expires.timestamp()) + 1  # never before the moment itself
        follows = Attr("version").eq(document.version - 1)
        condition = Attr("pk").not_exists() if document.version == 1 else follows
        if document.version == 1 and document.user_id:
            self._name(document)
        try:
            with translate_dynamodb_errors("writing a memory"):
                answer = self._table.put_item(
                    Item=item, ConditionExpression=condition, ReturnValues="ALL_OLD"
                )
        except ConflictError as error:
            self._lost(document, held.get("spilled"), error)
        else:
            self._drop(answer.get("Attributes", {}).get("spilled"))

    def _item(self, tenant: str, memory_id: str) -> dict[str, Any] | None:
        with translate_dynamodb_errors("reading a memory"):
            return self._table.get_item(Key=document_key(tenant, memory_id), ConsistentRead=True).get("Item")

    def _held(self, document: Document) -> dict[str, Any]:
        """Return the attributes that hold the document, or all but a text that is safely kept elsewhere by then."""
        if not is_large_text(document.text):
            return {"body": document.model_dump_json()}
        key = f"{document_texts_prefix(document.tenant_id, document.user_id)}{uuid4().hex}"
        self._contents.put_text(key, document.text)
        return {"body": document.model_copy(update={"text": ""}).model_dump_json(), "spilled": key}

    def _lost(self, document: Document, key: str | None, error: ConflictError) -> None:
        """Tell of the version in the way, unless that is this write itself, repeated because its answer was lost."""
        stored = self._item(document.tenant_id, document.memory_id)
        if key and stored and stored.get("spilled") == key:
            return
        self._drop(key)
        version = int(str(stored["version"])) if stored else 0
        raise ConflictError("the memory has changed", code="version_conflict", version=version) from error

    def _drop(self, key: Any) -> None:
        """Remove a text that no item points to.

        One that cannot be removed now goes when its owner is erased.
        """
        if key:
            with suppress(UnavailableError):
                self._contents.delete_text(str(key))

    def _name(self, document: Document) -> None:
        """Note whose it is, before it is there.

        A note too many names nothing, one too few would hide a document.
        """
        note = {"pk": f"T#{document.tenant_id}#U#{document.user_id}", "sk": f"DOC#{document.memory_id}"}
        with translate_dynamodb_errors("writing a memory"):
            self._table.put_item(Item=note)


def document_texts_prefix(tenant: str, user: str | None) -> str:
    """Return where the large texts of a user lie, or those of no user: together, and without a name."""
    return f"documents/{tenant}/{erasure_subject(tenant, user)}/"


def document_key(tenant: str, memory_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#D#{memory_id}", "sk": "DOC"}
