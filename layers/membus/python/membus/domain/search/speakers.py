"""Who says a text: the name that it opens with, and which names are those of a role."""

import re

MODEL_ROLES = frozenset({"assistant", "ai", "bot", "model", "agent"})
ROLES = frozenset({"user", "human", "system", "tool"}) | MODEL_ROLES
_SPEAKER_PREFIX = re.compile(
    rf"({'|'.join(sorted(ROLES))}|[A-Z][\w'.-]{{0,30}}(?: [A-Z][\w'.-]{{0,30}}){{0,2}}): "
)


def find_speaker(text: str) -> str | None:
    """Return «Ada» for «Ada: I moved», as transcripts write it."""
    found = _SPEAKER_PREFIX.match(text)
    return found[1] if found else None


def with_speaker(speaker: str | None, text: str) -> str:
    """Return the text with its speaker in front, once: a transcript has written it there already."""
    return text if not speaker or text.startswith(f"{speaker}: ") else f"{speaker}: {text}"


def is_role(speaker: str | None) -> bool:
    return (speaker or "").lower() in ROLES


def is_model(speaker: str | None) -> bool:
    return (speaker or "").lower() in MODEL_ROLES
