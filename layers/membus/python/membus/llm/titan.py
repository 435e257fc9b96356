"""Titan Text Embeddings over Bedrock InvokeModel.

One text a call, a few calls at once, every vector checked.
"""

import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from membus.llm.ports import EmbeddingResult, Vector

DIMENSIONS = 1024
CHARACTERS_MAX = 50_000
CONCURRENT_CALLS = 8
_NON_RETRYABLE_CODES = frozenset({"ValidationException"})


class TitanEmbeddings:
    """`client` retries throttling and faults itself, a bounded number of times."""

    def __init__(self, client: Any, model_id: str) -> None:
        self._client, self.name, self.dimensions = client, model_id, DIMENSIONS
        self._pool = ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix="embed")

    def embed_texts(self, texts: Sequence[str]) -> EmbeddingResult:
        distinct = list(dict.fromkeys(texts))
        takes = [text for text in distinct if 0 < len(text) <= CHARACTERS_MAX]
        answers = dict(zip(takes, self._pool.map(self._one, takes), strict=True))
        counted = [answer for answer in answers.values() if isinstance(answer, _Answer)]
        vectors = {text: answer.vector for text, answer in answers.items() if isinstance(answer, _Answer)}
        refused = {
            text
            for text, answer in answers.items()
            if isinstance(answer, str) and answer in _NON_RETRYABLE_CODES
        }
        return EmbeddingResult(
            vectors,
            frozenset({*refused, *(set(distinct) - set(takes))}),
            tokens=sum(answer.tokens for answer in counted),
            requests=len(counted),
        )

    def _one(self, text: str) -> "_Answer | str":
        """Return the answer, or the code of what went wrong."""
        body = json.dumps({"inputText": text, "dimensions": self.dimensions, "normalize": True})
        try:
            answer = self._client.invoke_model(
                modelId=self.name, body=body, contentType="application/json", accept="application/json"
            )
            told = json.loads(answer["body"].read())
            vector, tokens = told["embedding"], int(told.get("inputTextTokenCount", 0))
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        except BotoCoreError as error:
            return type(error).__name__
        except (KeyError, TypeError, ValueError):
            return "NoVector"
        return _Answer(vector, tokens) if is_usable_vector(vector, self.dimensions) else "BadVector"


@dataclass(frozen=True)
class _Answer:
    vector: Vector
    tokens: int


def is_usable_vector(vector: object, dimensions: int) -> bool:
    """Whether cosine distance means anything for it: the right length, finite, and not all zero."""
    return (
        isinstance(vector, list)
        and len(vector) == dimensions
        and all(isinstance(value, int | float) and math.isfinite(value) for value in vector)
        and any(vector)
    )
