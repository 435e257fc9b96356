"""The request of Titan Text Embeddings V2, refused as Bedrock refuses it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from localstack.model.errors import ModelServerError
from localstack.model.tokens import count

TITAN_CHARACTERS_MAX, TITAN_TOKENS_MAX = 50_000, 8192


class TitanRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    input_text: str = Field(alias="inputText")
    dimensions: Literal[256, 512, 1024] = 1024
    normalize: bool = True
    embedding_types: list[Literal["float"]] = Field(default_factory=list, alias="embeddingTypes")


def read_titan(body: dict[str, Any]) -> TitanRequest:
    try:
        wanted = TitanRequest.model_validate(body)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = "/".join(str(part) for part in first["loc"])
        raise _malformed(f"#/{place}: {first['msg']}") from invalid
    length = len(wanted.input_text)
    if length < 1:
        raise _malformed("expected minLength: 1, actual: 0")
    if length > TITAN_CHARACTERS_MAX:
        raise _malformed(f"expected maxLength: {TITAN_CHARACTERS_MAX}, actual: {length}")
    if (tokens := count(wanted.input_text)) > TITAN_TOKENS_MAX:
        raise ModelServerError.invalid(
            f"400 Bad Request: Too many input tokens. Max input tokens: {TITAN_TOKENS_MAX}, "
            f"request input token count: {tokens}"
        )
    return wanted


def _malformed(complaint: str) -> ModelServerError:
    return ModelServerError.invalid(
        f"Malformed input request: {complaint}, please reformat your input and try again."
    )
