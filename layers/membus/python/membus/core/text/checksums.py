"""Check digits: what tells an ISBN from any ten digits.

Numbers are in capitals, without blanks and hyphens.
"""

import re

from stdnum import ean, isbn, luhn
from stdnum.iso7064 import mod_97_10

ISBN_LENGTHS = frozenset({10, 13})
CARD_LENGTHS = range(13, 20)
USPS_LENGTHS = range(20, 23)
IBAN_LENGTHS = range(15, 35)


def is_isbn(value: str) -> bool:
    return len(value) in ISBN_LENGTHS and isbn.is_valid(value)


def is_payment_card(value: str) -> bool:
    return len(value) in CARD_LENGTHS and luhn.is_valid(value)


def is_iban(value: str) -> bool:
    """Whether a bank account's number carries its check digits.

    The format of its country is not asked for.
    """
    has_form = len(value) in IBAN_LENGTHS and re.fullmatch(r"[A-Z]{2}\d{2}[0-9A-Z]+", value)
    return bool(has_form) and mod_97_10.is_valid(value[4:] + value[:4])


def is_tracking_number(value: str) -> bool:
    """Whether a parcel number of UPS, of a postal service (UPU S10) or of USPS carries its check digit."""
    if re.fullmatch(r"1Z[0-9A-Z]{15}\d", value):
        return _ups_digit(value[2:-1]) == int(value[-1])
    if re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", value):
        return _upu_digit(value[2:10]) == int(value[10])
    if len(value) in USPS_LENGTHS and value.isascii() and value.isdigit():
        return ean.calc_check_digit(value[:-1]) == value[-1]
    return False


def _ups_digit(body: str) -> int:
    """UPS counts letters from A = 2 upwards, modulo 10, and doubles every second place."""
    numbers = (int(character) if character.isdigit() else (ord(character) - 63) % 10 for character in body)
    return -sum(number * (1 + place % 2) for place, number in enumerate(numbers)) % 10


def _upu_digit(serial: str) -> int:
    weights = (8, 6, 4, 2, 3, 5, 9, 7)
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(serial, weights, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)
