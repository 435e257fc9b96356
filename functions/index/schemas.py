"""What arrives: changes of the tables, or an operator's request to backfill or to reindex."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from membus.core.identity import Id

TTL_PRINCIPAL = "dynamodb.amazonaws.com"
ItemImage = dict[str, dict[str, Any]]


class ItemImages(BaseModel):
    keys: ItemImage = Field(alias="Keys")
    new: ItemImage | None = Field(default=None, alias="NewImage")
    old: ItemImage | None = Field(default=None, alias="OldImage")
    sequence_number: str = Field(alias="SequenceNumber")


class StreamIdentity(BaseModel):
    principal_id: str | None = Field(default=None, alias="principalId")


class ItemChange(BaseModel):
    """One change of one item; `body` is JSON text, the content of every item."""

    name: Literal["INSERT", "MODIFY", "REMOVE"] = Field(alias="eventName")
    images: ItemImages = Field(alias="dynamodb")
    identity: StreamIdentity | None = Field(default=None, alias="userIdentity")

    @property
    def is_expired(self) -> bool:
        """Whether the item expired, rather than being deleted by anybody."""
        return self.identity is not None and self.identity.principal_id == TTL_PRINCIPAL

    @property
    def partition_key(self) -> str:
        return str(self.images.keys["pk"]["S"])

    @property
    def sort_key(self) -> str:
        return str(self.images.keys["sk"]["S"])

    @property
    def new_body(self) -> str | None:
        return _text(self.images.new, "body")

    @property
    def old_body(self) -> str | None:
        return _text(self.images.old, "body")

    @property
    def revision_pair(self) -> tuple[int | None, int | None]:
        """The item's revision after and before the change; None where it has none."""
        return _number(self.images.new, "revision"), _number(self.images.old, "revision")

    @property
    def payload_key(self) -> str | None:
        """The key of a payload that is too large for the item."""
        return _text(self.images.new or self.images.old, "spilled")


class BackfillRequest(BaseModel):
    """A request for the vectors that texts of a tenant lack, of `model` or else of the configured one."""

    tenant: Id
    model: str | None = None


class ReindexRequest(BaseModel):
    """A request to index records again, in a stream's form, for `model` or else for the configured one."""

    records: list[dict[str, Any]]
    model: str | None = None


def _number(image: ItemImage | None, name: str) -> int | None:
    value = (image or {}).get(name, {}).get("N")
    return None if value is None else int(value)


def _text(image: ItemImage | None, name: str) -> str | None:
    value = (image or {}).get(name, {}).get("S")
    return None if value is None else str(value)
