"""Splits what people write in chats into sentences."""

import re

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")


def sentences_of(text: str) -> list[str]:
    return [sentence for part in _END.split(text) if (sentence := part.strip())]
