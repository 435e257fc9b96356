"""Who says a text: the name that it opens with, and which names are those of a role."""

import re

MODELS = frozenset({"assistant", "ai", "bot", "model", "agent"})
ROLES = frozenset({"user", "human", "system", "tool"}) | MODELS
_OPENING = re.compile(rf"({'|'.join(sorted(ROLES))}|[A-Z][\w'.-]{{0,30}}(?: [A-Z][\w'.-]{{0,30}}){{0,2}}): ")


def speaker_in(text: str) -> str | None:
    """Return «Ada» for «Ada: I moved», as transcripts write it."""
    found = _OPENING.match(text)
    return found[1] if found else None


def said_by(speaker: str | None, text: str) -> str:
    """Return the text with its speaker in front, once: a transcript has written it there already."""
    return text if not speaker or text.startswith(f"{speaker}: ") else f"{speaker}: {text}"


def is_role(speaker: str | None) -> bool:
    return (speaker or "").lower() in ROLES


def is_model(speaker: str | None) -> bool:
    return (speaker or "").lower() in MODELS
