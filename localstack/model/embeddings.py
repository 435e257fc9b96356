"""Titan Text Embeddings V2 on the laptop: its requests, answered with vectors of all-MiniLM-L6-v2."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from localstack.model.requests import ModelServerError
from localstack.model.tokens import count, load_tokenizer, load_weights

DIMENSIONS, HEADS, LAYERS, EPSILON = 384, 12, 6, np.float32(1e-12)
WINDOW_TOKENS = 256  # the length all-MiniLM-L6-v2 was trained on; what follows does not move the vector
# Abramowitz and Stegun 7.1.26, with the highest power first; the error of erf is below 2e-7.
ERF_SCALE = np.float32(0.3275911)
ERF_TERMS = np.array([1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592, 0.0], np.float32)
TITAN_CHARACTERS_MAX, TITAN_TOKENS_MAX = 50_000, 8192
Matrix = NDArray[np.float32]


class MiniLmEmbedder:
    """The sentence transformer all-MiniLM-L6-v2; several threads may use it at once."""

    def __init__(self) -> None:
        self._weights = {name: np.array(value) for name, value in load_weights().items()}
        self._tokenizer = load_tokenizer()
        self._tokenizer.enable_truncation(WINDOW_TOKENS)

    def embed_text(self, text: str, dimensions: int, *, normalize: bool) -> list[float]:
        """Return the vector of the model, zero-padded or cut to `dimensions`."""
        vector = self._run_model(self._tokenizer.encode(text).ids)[:dimensions]
        if normalize:
            vector = vector / np.linalg.norm(vector)
        padded = np.pad(vector, (0, max(0, dimensions - DIMENSIONS)))
        return [float(value) for value in padded]

    def _run_model(self, ids: list[int]) -> Matrix:
        """Return the mean of the last layer's outputs over all tokens."""
        words = self._weights["embeddings.word_embeddings.weight"][ids]
        places = self._weights["embeddings.position_embeddings.weight"][: len(ids)]
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        x = self._normalise(words + places + kind, "embeddings")
        for layer in (f"encoder.layer.{number}" for number in range(LAYERS)):
            attended = self._attend(x, f"{layer}.attention.self")
            x = self._normalise(
                x + self._project(attended, f"{layer}.attention.output.dense"), f"{layer}.attention.output"
            )
            wide = _gelu(self._project(x, f"{layer}.intermediate.dense"))
            x = self._normalise(x + self._project(wide, f"{layer}.output.dense"), f"{layer}.output")
        return np.asarray(x.mean(axis=0))

    def _attend(self, x: Matrix, name: str) -> Matrix:
        query, key, value = (
            self._project(x, f"{name}.{part}").reshape(len(x), HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / np.float32((DIMENSIONS / HEADS) ** 0.5)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        return np.asarray((shares @ value).swapaxes(0, 1).reshape(x.shape))

    def _project(self, x: Matrix, name: str) -> Matrix:
        return np.asarray(x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"])

    def _normalise(self, x: Matrix, name: str) -> Matrix:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + EPSILON)
        return np.asarray(
            scaled * self._weights[f"{name}.LayerNorm.weight"] + self._weights[f"{name}.LayerNorm.bias"]
        )


def _gelu(x: Matrix) -> Matrix:
    z = np.abs(x) * np.float32(0.5**0.5)
    erf = 1 - np.polyval(ERF_TERMS, 1 / (1 + ERF_SCALE * z)) * np.exp(-z * z)
    return np.asarray(x / 2 * (1 + np.sign(x) * erf))


class TitanRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    input_text: str = Field(alias="inputText")
    dimensions: Literal[256, 512, 1024] = 1024
    normalize: bool = True
    embedding_types: list[Literal["float"]] = Field(default_factory=list, alias="embeddingTypes")


def parse_titan_request(body: dict[str, Any]) -> TitanRequest:
    """Return the request; raise ModelServerError in Bedrock's words."""
    try:
        request = TitanRequest.model_validate(body)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = "/".join(str(part) for part in first["loc"])
        raise _malformed(f"#/{place}: {first['msg']}") from invalid
    length = len(request.input_text)
    if length < 1:
        raise _malformed("expected minLength: 1, actual: 0")
    if length > TITAN_CHARACTERS_MAX:
        raise _malformed(f"expected maxLength: {TITAN_CHARACTERS_MAX}, actual: {length}")
    if (tokens := count(request.input_text)) > TITAN_TOKENS_MAX:
        raise ModelServerError.invalid_request(
            f"400 Bad Request: Too many input tokens. Max input tokens: {TITAN_TOKENS_MAX}, "
            f"request input token count: {tokens}"
        )
    return request


def _malformed(complaint: str) -> ModelServerError:
    return ModelServerError.invalid_request(
        f"Malformed input request: {complaint}, please reformat your input and try again."
    )
