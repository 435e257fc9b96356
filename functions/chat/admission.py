"""Which messages are taken: those that can be answered at all, each under a request key of its own."""

from functions.chat.api import MessageIn
from membus.domain.context import measure_message
from membus.domain.visible import is_blank
from membus.errors import InvalidError

CONTENT_BYTES_MAX = 64_000
"""Far above what 500 tokens come to in any script; refused before anything is counted."""


def ensure_same_message(request: str, asked: MessageIn) -> None:
    """Raises InvalidError, `idempotency_mismatch`.

    The key that brought this message was used for another one.
    """
    if request != asked.fingerprint:
        raise InvalidError("this key was used for another message", code="idempotency_mismatch")


def check_message(asked: MessageIn) -> None:
    """Refuse a message that can never be answered; costs no request."""
    if is_blank(asked.content):
        raise InvalidError("content: a message needs visible text")
    if len(asked.content.encode()) > CONTENT_BYTES_MAX:
        raise InvalidError(f"a message takes at most {CONTENT_BYTES_MAX} bytes", code="payload_too_large")
    measure_message(asked.content)
