"""Types of fields that several resources accept."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError

from membus.core.event import Moment
from membus.core.text.normalization import is_blank


def require_written_moment(value: object) -> object:
    """Refuse a bare number, also as text, which says neither its unit nor its zone."""
    if value is not None and (not isinstance(value, str) or _is_number(value)):
        raise ValueError("write the moment as text with its zone, e.g. 2026-11-20T12:00:00Z")
    return value


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[\d._]+(?:e[+-]?\d+)?", text.strip(), re.IGNORECASE) is not None


def _require_visible_text(text: str) -> str:
    if is_blank(text):
        raise ValueError("a text needs something visible")
    return text


WrittenMoment = Annotated[Moment | None, BeforeValidator(require_written_moment)]
REQUIRE_VISIBLE = AfterValidator(_require_visible_text)
Metadata = dict[str, Any]
BATCH_SIZE: Any = Field(min_length=1, max_length=100)


def request_body(*examples: dict[str, Any], **schema: Any) -> ConfigDict:
    """Return the configuration of a request's body, which refuses members that it does not know.

    Examples, and further members of the schema, go into the OpenAPI document.
    """
    described = ({"examples": list(examples)} if examples else {}) | schema
    return ConfigDict(extra="forbid", json_schema_extra=described or None)


def describe_first_error(error: ValidationError, whole: str) -> str:
    """Return where an item of a batch is wrong, and how; `whole` stands for the item itself."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"
