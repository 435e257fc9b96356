"""Documents in DynamoDB: pk `T#<tenant>#D#<memory id>`, sk `DOC`; a deleted one leaves its version for three days.

A user's partition, pk `T#<tenant>#U#<user>`, sk `DOC#<memory id>`, says which documents are theirs.

The stream tells the index function of every change, and a stream keeps a change for a day.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from membus.adapters.dynamo_errors import dynamo_errors
from membus.domain.document import Document
from membus.domain.memory import is_live
from membus.errors import ConflictError, NotFoundError
from membus.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

REMEMBERED = timedelta(days=3)


class DynamoDocuments:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def document(self, tenant: str, memory_id: str) -> Document:
        document = self.last(tenant, memory_id)
        if document is None or document.deleted or not is_live(document.expires_at, self._clock()):
            raise NotFoundError("no such memory")
        return document

    def documents(self, tenant: str, memory_ids: Sequence[str]) -> list[Document]:
        """Read them one by one: a page is short, and each is a read of half a unit."""
        found: list[Document] = []
        for memory_id in memory_ids:
            with suppress(NotFoundError):
                found.append(self.document(tenant, memory_id))
        return found

    def last(self, tenant: str, memory_id: str) -> Document | None:
        with dynamo_errors("reading a memory"):
            item = self._table.get_item(Key=document_key(tenant, memory_id), ConsistentRead=True).get("Item")
        return Document.model_validate_json(str(item["body"])) if item else None

    def put(self, document: Document) -> None:
        item: dict[str, Any] = {
            **document_key(document.tenant_id, document.memory_id), "version": document.version,
            "body": document.model_dump_json(),
        }  # fmt: skip
        if expires := document.updated_at + REMEMBERED if document.deleted else document.expires_at:
            item["expires_at"] = int(expires.timestamp()) + 1  # never before the moment itself
        follows = Attr("version").eq(document.version - 1)
        condition = Attr("pk").not_exists() if document.version == 1 else follows
        if document.version == 1 and document.user_id:
            self._name(document)
        try:
            with dynamo_errors("writing a memory"):
                self._table.put_item(Item=item, ConditionExpression=condition)
        except ConflictError as error:
            stored = self.last(document.tenant_id, document.memory_id)
            version = stored.version if stored else 0
            raise ConflictError("the memory has changed", code="version_conflict", version=version) from error

    def _name(self, document: Document) -> None:
        """Note whose it is, before it is there: a note too many names nothing, one too few would hide a document."""
        note = {"pk": f"T#{document.tenant_id}#U#{document.user_id}", "sk": f"DOC#{document.memory_id}"}
        with dynamo_errors("writing a memory"):
            self._table.put_item(Item=note)


def document_key(tenant: str, memory_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#D#{memory_id}", "sk": "DOC"}
