"""Documents as they were put: what the search index is made from, and made anew."""

from collections.abc import Sequence
from typing import Protocol

from membus.domain.document import Document


class DocumentStore(Protocol):
    """Every method names the tenant: a document of another tenant is as absent as one that never was."""

    def document(self, tenant: str, memory_id: str) -> Document:
        """Return the document; NotFoundError where there is none, or it is deleted or expired."""

    def documents(self, tenant: str, memory_ids: Sequence[str]) -> list[Document]:
        """Return those of the documents that there are, in the order asked for."""

    def last(self, tenant: str, memory_id: str) -> Document | None:
        """Return what is stored under the id, deleted or expired included.

        A new document there follows it.
        """

    def put(self, document: Document) -> None:
        """Write the version that follows the stored one.

        Raises:
            ConflictError: `document.version` does not follow what is stored, whose version the error carries.
        """
