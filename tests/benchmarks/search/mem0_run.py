"""`python mem0_run.py <job.json> <vectors.npz> <answers.json>`, in Mem0's own environment.

Adds the messages of a case unchanged, searches for its questions and writes the answers. The vectors are
those of the benchmark, by text.
"""

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

TOP = 20


class GivenVectors:
    """Mem0's embedder, with the vectors that every method of the benchmark has."""

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self._vectors = vectors
        self.config = None

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        return self._vectors[text]

    def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
        return [self._vectors[text] for text in texts]


def main(job: dict[str, Any], vectors: dict[str, list[float]]) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        memory = _memory(Path(folder), GivenVectors(vectors))
        for message in job["messages"]:
            memory.add(message["text"], user_id="u", metadata={"message": message["id"]}, infer=False)
        return [_search(memory, question) for question in job["questions"]]


def _memory(folder: Path, embedder: GivenVectors) -> Any:
    size = len(next(iter(embedder._vectors.values())))
    store = {
        "collection_name": "bench",
        "path": str(folder / "qdrant"),
        "embedding_model_dims": size,
        "on_disk": True,
    }
    memory = importlib.import_module("mem0").Memory.from_config(
        {
            "vector_store": {"provider": "qdrant", "config": store},
            "llm": {"provider": "openai", "config": {"api_key": "never called: infer=False"}},
            "embedder": {
                "provider": "openai",
                "config": {"api_key": "replaced below", "embedding_dims": size},
            },
            "history_db_path": str(folder / "history.db"),
        }
    )
    memory.embedding_model = embedder
    return memory


def _search(memory: Any, question: str) -> list[str]:
    found = memory.search(question, filters={"user_id": "u"}, top_k=TOP, threshold=0.0)["results"]
    return [each["metadata"]["message"] for each in found]


if __name__ == "__main__":
    _job, _vectors, _answers = map(Path, sys.argv[1:])
    _job_read = json.loads(_job.read_text())
    with np.load(_vectors) as _kept:
        _by_text = dict(zip(_job_read["texts"], _kept["vectors"].tolist(), strict=True))
    _answers.write_text(json.dumps(main(_job_read, _by_text)))
