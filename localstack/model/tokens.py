"""Token counts of the local model: the WordPiece count of the MiniLM tokenizer, untruncated."""

from functools import lru_cache

from tokenizers import Encoding, Tokenizer

from localstack.model.weights import load_tokenizer


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
