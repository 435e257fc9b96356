"""Identity: ids, the owner of data, the caller of a request, and a database login."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

_SIGNS = frozenset("._:@+=~|-")
_INVISIBLE_MARKS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)


def is_word_text(text: str) -> bool:
    """Whether a text is letters and digits of any script, with the marks that combine with them.

    `मोहन` is letters and marks. A mark without a letter before it, or one that nobody sees, is no word.
    """
    categories = [unicodedata.category(character)[0] for character in text]
    return (
        set(categories) <= {"L", "N", "M"} and categories[:1] != ["M"] and not _INVISIBLE_MARKS.search(text)
    )


def _validate_segment(value: str) -> str:
    """Refuse characters that could forge a key (`#`), leave a folder (`/`, `.`, `..`) or are invisible.

    Returns the id in Unicode's composed form (NFC), in which all ids are kept.
    """
    composed = unicodedata.normalize("NFC", value)
    words = "".join("#" if character in _SIGNS else character for character in composed).split("#")
    if "#" in composed or not all(map(is_word_text, words)) or ".." in composed or composed == ".":
        raise ValueError("use letters, digits and any of . _ : @ + = ~ | - (no '..', and not '.' alone)")
    return composed


Id = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_validate_segment)]


class Record(BaseModel):
    """A value: frozen, compared by content; fields of a newer version are ignored."""

    model_config = ConfigDict(frozen=True)


class Owner(Record):
    """The user of one tenant. Two tenants may both have a user `ada`; they share nothing."""

    tenant: Id
    user: Id


class Caller(Record):
    """The caller of a request, by its credential; nothing else that the client sends can change it."""

    tenant: Id
    key_id: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class DatabaseLogin:
    username: str
    password: str = field(repr=False)


class MemorySource(Record):
    """The event, or the message of a conversation, that a memory comes from, as far as there is one."""

    event_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
