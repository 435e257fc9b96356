"""What arrives: changes of the table `conversations` in which a conversation was deleted."""

from typing import Any

from pydantic import BaseModel, Field


class DeletionImages(BaseModel):
    keys: dict[str, dict[str, Any]] = Field(alias="Keys")
    sequence_number: str = Field(alias="SequenceNumber")


class Deletion(BaseModel):
    images: DeletionImages = Field(alias="dynamodb")

    @property
    def conversation_key(self) -> tuple[str, str]:
        """Tenant and conversation; neither can hold the `#` that parts them."""
        _, tenant, _, conversation_id = str(self.images.keys["pk"]["S"]).split("#")
        return tenant, conversation_id
