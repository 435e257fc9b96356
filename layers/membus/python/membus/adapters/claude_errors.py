"""What the Anthropic client, or the wire beneath it, raises, in membus' words.

Translated once, with its cause.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from json import JSONDecodeError

import httpx2
from anthropic import APIConnectionError, APIError, APIStatusError, AuthenticationError, PermissionDeniedError

from membus.errors import BusyError, MembusError, ModelError, UnavailableError

_TRY_LATER = {408, 409, 429}
_FATAL_STREAM_ERRORS = {"invalid_request_error", "request_too_large", "validationException"}
"""Error events that another try does not help; all others tell of a provider in trouble."""


@contextmanager
def translate_claude_errors() -> Iterator[None]:
    """Translate what is raised inside.

    Raises:
        BusyError: overloaded, unreachable or torn off; with the provider's `retry-after`, which nobody has
            slept.
        UnavailableError: the configured credential is refused.
        ModelError: the request is refused, or what came is no answer.
    """
    try:
        yield
    except (AuthenticationError, PermissionDeniedError) as error:
        why = "the model provider refused the configured credential"
        raise UnavailableError(why, code="model_unavailable") from error
    except APIStatusError as error:
        raise _translate_status_error(error) from error
    except (APIConnectionError, httpx2.HTTPError) as error:
        raise BusyError("the model cannot be reached right now", code="model_unavailable") from error
    except (APIError, JSONDecodeError) as error:
        raise ModelError("the provider's answer is no message", reason="no_answer") from error


def _translate_status_error(error: APIStatusError) -> MembusError:
    busy = error.status_code in _TRY_LATER or error.status_code >= 500  # noqa: PLR2004
    if busy or (error.status_code == 200 and error.type not in _FATAL_STREAM_ERRORS):  # noqa: PLR2004 - an event in a stream
        asked = _asked_seconds(error.response.headers)
        return BusyError(
            "the model cannot be reached right now", code="model_unavailable", asked_seconds=asked
        )
    return ModelError("the model provider refused the request", reason="invalid_request")


def _asked_seconds(headers: httpx2.Headers) -> float | None:
    """Return how long the provider asks to wait, in any of the ways it says so."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"])) if "retry-after" in headers else None
    except ValueError:
        return _seconds_until(headers["retry-after"])


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return None
