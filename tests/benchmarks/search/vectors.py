"""Vectors of the benchmarks' texts, computed by the local stack's embedder and kept between runs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from localstack.model.embeddings import DIMENSIONS, MiniLmEmbedder

Vectors = NDArray[np.float32]


class KeptVectors:
    """One file for each list of texts; never use it where the time of embedding is what is measured."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._embedder: MiniLmEmbedder | None = None

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        file = self._folder / f"{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()[:32]}.npy"
        if not file.exists():
            np.save(file, np.array([self._embed(text) for text in texts], np.float32))
        kept: Vectors = np.load(file)
        return kept

    def _embed(self, text: str) -> list[float]:
        if self._embedder is None:
            self._embedder = MiniLmEmbedder()
        return self._embedder.embed_text(text, DIMENSIONS, normalize=True)
