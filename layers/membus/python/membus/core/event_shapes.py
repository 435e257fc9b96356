"""What producers call the same thing: other names of event types and fields, and where users' own words stand."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from membus.core.text.normalization import is_blank


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OTHER_NAMES = {
    "element.clicked": "button.clicked link.clicked",
    "error.shown": "error.raised error.occurred error.displayed error.thrown error.seen",
    "message.sent": "chat.message message.created user.message",
    "order.placed": "order.completed purchase.completed",
    "page.viewed": "page.visited page.opened screen.viewed",
    "product.viewed": "item.viewed",
    "profile.updated": "profile.created profile.completed profile.changed",
    "search.performed": "search.submitted search.executed",
    "setting.changed": "setting.updated settings.changed settings.updated preference.changed",
}
TYPE_ALIASES = {name: known for known, names in _OTHER_NAMES.items() for name in names.split()}
"""The type as which an event of another name is read; it is stored as it was sent."""
_PAGE = ("path", "page", "url", "route")
FIELD_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "element.clicked": {"name": ("name", "element", "button", "label")},
    "error.shown": {"path": _PAGE},
    "feature.used": {"name": ("name", "feature")},
    "message.sent": {"text": ("text", "content", "body", "message")},
    "notification.dismissed": {"name": ("name", "notification")},
    "page.viewed": {"path": _PAGE},
    "plan.changed": {"to": ("to", "plan", "new_plan")},
    "product.viewed": {"name": ("name", "product", "title")},
    "profile.updated": {
        "role": ("role", "job_title", "occupation"),
        "company": ("company", "employer", "organization"),
        "name": ("name", "full_name", "display_name"),
        "birthday": ("birthday", "date_of_birth"),
    },
    "search.performed": {"query": ("query", "q", "term"), "results": ("results", "result_count", "hits")},
    "session.started": {"device": ("device", "platform")},
    "setting.changed": {
        "name": ("name", "setting", "key"),
        "to": ("to", "value", "new_value"),
        "from": ("from", "old_value", "previous"),
    },
}
"""By type and field the names under which the field is looked for, the first one present counts."""
TEXT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "message.sent": ("text",),
    "comment.posted": ("text", "comment", "body"),
    "feedback.given": ("text", "comment", "feedback"),
    "profile.updated": ("bio", "about"),
    "review.posted": ("text", "review", "body"),
    "survey.answered": ("text", "answer"),
    "ticket.opened": ("body", "text", "description"),
}
"""Types in which users say something in their own words, and the fields that hold it."""
DEFAULT_TEXT_FIELDS = ("text", "body", "comment", "feedback", "review", "note", "answer", "question")
"""Fields of an event of any other type that are read where they hold more than two words."""
ACTION_TYPES = _words(
    "cart.abandoned checkout.abandoned checkout.completed checkout.started element.clicked "
    "error.shown feature.used login.failed notification.dismissed order.placed page.viewed "
    "payment.failed plan.changed product.viewed search.performed session.ended session.started "
    "setting.changed subscription.cancelled subscription.started "
)
"""Types that rules read, in which no other field holds words of the user's."""
OTHER_TYPES = _words("turn.recorded memory.imported")
"""Types that membus reads in a way of its own."""
_OTHERS = _words(
    "agent assistant bot system server notification campaign alert job build deployment webhook fact memory "
)
_DONE_TO_USERS = _words(
    "received delivered shown displayed generated replied responded suggested recommended "
    "failed bounced imported "
)
"""Subjects and verbs of events that are no doing of the user's: their texts are somebody else's."""
USER_ROLES = frozenset({"user", "human"})
"""What producers call the person in a conversation: AgentCore writes USER, LangChain human."""
WORDS_MIN = 3
_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{4}")
"""Letters of scripts that put no space between words: so many hold several."""
_OF_ONESELF = re.compile(
    r"\b(?:i|i'm|i've|my|me|we|our|ich|mein\w*|mir|wir|unser\w*|je|j'ai|mon|mes|moi|nous|notre|yo|mis?|nosotros|ik|mijn|wij"
    r"|eu|meus?|minhas?|io|miei?|mia|jag|min|mitt|mina|jeg|mam|mój|moja|můj|moje|я|мой|моя|мои|мне|мы|наш\w*|benim)\b"
    r"|[我私僕俺]|나는|내 |저는",
    re.IGNORECASE,
)
_STATUS_FIELDS = ("status", "status_code", "statusCode", "http_status", "code", "error_code", "errorCode")
_STATUS_TEXT = re.compile(
    r"\b(?:http|error|status|code)(?: (?:error|status|code))?[ :#=-]{1,3}([45]\d\d)\b"
    r"|\b([45]\d\d) (?:internal|server|bad|not|service|gateway|forbidden|unauthorized|too|error)\b",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?:HTTP[ _-]?|E)?([1-5]\d\d)", re.IGNORECASE)


def canonical_type(event_type: str) -> str:
    """Return the type as which events of a type are read."""
    return TYPE_ALIASES.get(event_type, event_type)


def is_known_type(event_type: str) -> bool:
    known = canonical_type(event_type)
    return known in ACTION_TYPES or known in TEXT_FIELDS or known in OTHER_TYPES


def read_fields(event_type: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload with its fields under the names that rules read.

    A page is its path, without the host. The status of an error is a number, wherever it stands. Numbers of
    results may be texts of digits.
    """
    known = canonical_type(event_type)
    fields = dict(payload)
    for name, names in FIELD_NAMES.get(known, {}).items():
        found = next((each for each in names if payload.get(each) is not None), None)
        if found is not None:
            fields[name] = payload[found]
    if isinstance(path := fields.get("path"), str) and "://" in path:
        fields["path"] = urlsplit(path).path or "/"
    if isinstance(results := fields.get("results"), str) and results.strip().isdecimal():
        fields["results"] = int(results)
    if known == "error.shown" and (status := find_status(payload)) is not None:
        fields["status"] = status
    return fields


def find_status(payload: Mapping[str, Any]) -> int | None:
    """Return the HTTP status of an error by a field, a field of its `error`, or its message; None without any."""
    inner = payload.get("error")
    for fields in (payload, inner if isinstance(inner, Mapping) else {}):
        for name in _STATUS_FIELDS:
            value = fields.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
            if isinstance(value, str) and (found := _STATUS.fullmatch(value.strip())):
                return int(found[1])
        for name in ("message", "text", "title", "error", "detail"):
            value = fields.get(name)
            if isinstance(value, str) and (found := _STATUS_TEXT.search(value[:500])):
                return int(found[1] or found[2])
    return None


def find_user_text(event_type: str, payload: Mapping[str, Any]) -> str | None:
    """Return the user's own words in an event's fields, None without any.

    Words of another role are none, nor is a search that is a topic alone.
    """
    known = canonical_type(event_type)
    if known != "profile.updated" and not is_user_role(payload.get("role")):
        return None
    fields = read_fields(event_type, payload)
    if known in TEXT_FIELDS:
        return next(
            (str(fields[name]) for name in TEXT_FIELDS[known] if not is_blank(fields.get(name))), None
        )
    if known == "search.performed":
        query = fields.get("query")
        return query if isinstance(query, str) and is_language(query) and _OF_ONESELF.search(query) else None
    if known in ACTION_TYPES or known.split(".")[0] in _OTHERS or known.split(".")[-1] in _DONE_TO_USERS:
        return None
    said = [fields.get(name) for name in DEFAULT_TEXT_FIELDS]
    return "\n".join(text for text in said if isinstance(text, str) and is_language(text)) or None


def is_user_role(role: object) -> bool:
    """Whether a message with this role is the user's; without a role it is."""
    return role is None or (isinstance(role, str) and role.strip().casefold() in USER_ROLES)


def is_language(text: str) -> bool:
    """Whether a text has at least three words."""
    return len(_WORD.findall(text)) >= WORDS_MIN or _UNSPACED.search(text) is not None
