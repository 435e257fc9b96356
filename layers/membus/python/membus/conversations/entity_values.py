"""The one spelling of each kind of entity, or None where a match is not what it looks like."""

import ipaddress
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from membus.core.text.time_expressions import MONTHS

Canonical = Callable[[str], str | None]
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
PHONE_DIGITS = range(8, 16)
"""E.164 allows fifteen digits; fewer than eight, beyond an emergency call, are numbers of something else."""
LABEL_LENGTH = range(1, 64)  # RFC 1035


def proven_by(holds: Callable[[str], bool]) -> Canonical:
    """Return the canonical form of a number with a check digit: in capitals, without blanks and hyphens."""

    def canonical(value: str) -> str | None:
        compact = re.sub(r"[\s-]", "", value).upper()
        return compact if holds(compact) else None

    return canonical


def email(value: str) -> str | None:
    name, _, domain = value.rpartition("@")
    return None if ".." in value or name[0] == "." or name[-1] == "." else f"{name}@{domain.lower()}"


def uuid(value: str) -> str:
    return str(UUID(value))


def address(value: str) -> str | None:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return None


def asin(value: str) -> str | None:
    return value if sum(character.isdigit() for character in value) > 1 else None


def order_id(value: str) -> str:
    return value.upper()


def day(value: str) -> str | None:
    """Return `2026-12-04`, or `--12-04` (ISO 8601) where no year is said."""
    year, month, number = value.split("-") if value[:4].isdigit() else _spoken(value)
    try:
        moment = date(int(year or 2000), int(month), int(number))  # a leap year: 29 February is a day
    except ValueError:
        return None
    return moment.isoformat() if year else f"-{moment.isoformat()[4:]}"


def _spoken(value: str) -> tuple[str, int, str]:
    name = next(word for word in re.findall(r"[a-z]{3,}", value.lower()))
    number, *year = re.findall(r"\d+", value)
    month = next(place for place, month in enumerate(MONTHS, 1) if month[:3] == name[:3])
    return "".join(year), month, number


def money(value: str) -> str | None:
    currency = next((code for sign, code in _CURRENCIES.items() if sign in value), None)
    code = currency or next(iter(re.findall(r"[A-Za-z]{3}", value)), "").upper()
    number = re.sub(r"[^\d.,]", "", value).strip(".,")
    try:
        amount = Decimal(re.sub(r",(?=\d{3}(?:\D|$))", "", number).replace(",", "."))
    except InvalidOperation:
        return None
    return f"{amount:.2f} {code}"


def phone(value: str) -> str | None:
    digits = re.sub(r"\D", "", value)
    return f"{'+' if value.startswith('+') else ''}{digits}" if len(digits) in PHONE_DIGITS else None


def host(value: str) -> str | None:
    name = value.lower().rstrip(".").removeprefix("www.")
    labels = name.split(".")
    return name if len(labels) > 1 and all(len(label) in LABEL_LENGTH for label in labels) else None


def version(value: str) -> str:
    return value.lower().rstrip(".-")
