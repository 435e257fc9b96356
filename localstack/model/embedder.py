"""Sentence vectors of all-MiniLM-L6-v2 on onnxruntime, shaped as Titan's 256, 512 or 1,024 dimensions."""

from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # ships no stubs

from localstack.model.graph import DIMENSIONS, write_graph
from localstack.model.weights import load_tokenizer, load_weights

WINDOW_TOKENS = 256  # the length all-MiniLM-L6-v2 was trained on; what follows does not move the vector
GRAPH_FILE = "minilm.onnx"


class MiniLmEmbedder:
    """Embeds one text a call; onnxruntime's session may be called from several threads at once."""

    def __init__(self, cache: Path) -> None:
        self._tokenizer = load_tokenizer()
        self._tokenizer.enable_truncation(WINDOW_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # calls run side by side; threads inside one call would only queue
        self._session = onnxruntime.InferenceSession(
            str(_graph(cache)), options, providers=["CPUExecutionProvider"]
        )

    def embed(self, text: str, dimensions: int, *, normalize: bool) -> list[float]:
        """Zero-pad the 384 dimensions of the model, or cut them, to `dimensions`."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        (vectors,) = self._session.run(None, {"ids": ids, "mask": np.ones_like(ids)})
        vector = vectors[0][:dimensions]
        if normalize:
            vector = vector / np.linalg.norm(vector)
        padded = np.pad(vector, (0, max(0, dimensions - DIMENSIONS)))
        return [float(value) for value in padded]


def _graph(cache: Path) -> Path:
    path = cache / GRAPH_FILE
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        write_graph(load_weights(), path)
    return path
