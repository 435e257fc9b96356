"""Titan Text Embeddings on Bedrock: one text a call, a few calls at once, every vector checked."""

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
NOT_SENT = "NotSent"
NON_RETRYABLE_CODES = frozenset({"ValidationException", NOT_SENT})


@dataclass(frozen=True)
class _Answer:
    vector: Vector
    tokens: int


class TitanEmbeddings:
    """`client` retries throttling and faults itself, a bounded number of times."""

    def __init__(self, client: Any, model_id: str) -> None:
        self._client, self.name, self.dimensions = client, model_id, DIMENSIONS
        self._pool = ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix="embed")

    def embed_texts(self, texts: Sequence[str]) -> EmbeddingResult:
        distinct = list(dict.fromkeys(texts))
        sent = [text for text in distinct if 0 < len(text) <= CHARACTERS_MAX]
        answers = dict(zip(sent, self._pool.map(self._embed_text, sent), strict=True))
        found = {text: answer for text, answer in answers.items() if isinstance(answer, _Answer)}
        return EmbeddingResult(
            {text: answer.vector for text, answer in found.items()},
            frozenset(
                text
                for text in distinct
                if text not in found and answers.get(text, NOT_SENT) in NON_RETRYABLE_CODES
            ),
            tokens=sum(answer.tokens for answer in found.values()),
            requests=len(found),
        )

    def _embed_text(self, text: str) -> _Answer | str:
        """Return the answer, or the code of the error."""
        body = json.dumps({"inputText": text, "dimensions": self.dimensions, "normalize": True})
        try:
            response = self._client.invoke_model(
                modelId=self.name, body=body, contentType="application/json", accept="application/json"
            )
            answer = json.loads(response["body"].read())
            vector, tokens = answer["embedding"], int(answer.get("inputTextTokenCount", 0))
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        except BotoCoreError as error:
            return type(error).__name__
        except (KeyError, TypeError, ValueError):
            return "NoVector"
        return _Answer(vector, tokens) if _is_usable_vector(vector, self.dimensions) else "BadVector"


def _is_usable_vector(vector: object, dimensions: int) -> bool:
    """Return whether a cosine distance to the vector means anything: right length, finite, not all zero."""
    return (
        isinstance(vector, list)
        and len(vector) == dimensions
        and all(isinstance(value, int | float) and math.isfinite(value) for value in vector)
        and any(vector)
    )
