from typing import Annotated, Any

from pydantic import BeforeValidator

from membus.core.event import Moment
from membus.core.text.normalization import is_blank


def require_written_moment(value: object) -> object:
    """A bare number says neither its unit nor its zone."""
    if value is not None and not isinstance(value, str):
        raise ValueError("write the moment as text with its zone, e.g. 2026-11-20T12:00:00Z")
    return value


WrittenMoment = Annotated[Moment | None, BeforeValidator(require_written_moment)]


def require_visible_text(text: str) -> str:
    if is_blank(text):
        raise ValueError("a text needs something visible")
    return text


Metadata = dict[str, Any]
