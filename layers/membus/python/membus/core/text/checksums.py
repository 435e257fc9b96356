"""Check digits of numbers that carry one: what tells an ISBN from ten digits."""

import re
from string import ascii_uppercase, digits

_LETTERS = {character: number for number, character in enumerate(digits + ascii_uppercase)}
ISBN_10, ISBN_13 = 10, 13
CARD_DIGITS = range(13, 20)
USPS_DIGITS = range(20, 23)
IBAN_LENGTH = range(15, 35)


def is_isbn(value: str) -> bool:
    """Whether ten characters (modulo 11, `X` is ten) or thirteen digits (modulo 10) carry their check digit."""
    if len(value) == ISBN_10 and re.fullmatch(r"\d{9}[\dX]", value):
        weighed = (_LETTERS.get(digit, 0) if digit != "X" else 10 for digit in value)
        return (
            sum(number * weight for number, weight in zip(weighed, range(10, 0, -1), strict=True)) % 11 == 0
        )
    if len(value) == ISBN_13 and value.isascii() and value.isdigit() and value.startswith(("978", "979")):
        return sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(value)) % 10 == 0
    return False


def is_payment_card(value: str) -> bool:
    """Whether 13 to 19 digits carry Luhn's check digit."""
    if len(value) not in CARD_DIGITS or not (value.isascii() and value.isdigit()):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(value)))
    return sum(sum(divmod(number, 10)) for number in doubled) % 10 == 0


def is_iban(value: str) -> bool:
    """Whether a bank account's number leaves 1 modulo 97 (ISO 13616)."""
    if len(value) not in IBAN_LENGTH or not re.fullmatch(r"[A-Z]{2}\d{2}[0-9A-Z]+", value):
        return False
    return int("".join(str(_LETTERS[character]) for character in value[4:] + value[:4])) % 97 == 1


def is_tracking_number(value: str) -> bool:
    """Whether a parcel number of UPS, of a postal service (UPU S10) or of USPS carries its check digit."""
    if re.fullmatch(r"1Z[0-9A-Z]{15}\d", value):
        return _ups(value[2:-1]) == int(value[-1])
    if re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", value):
        return _upu(value[2:10]) == int(value[10])
    if len(value) in USPS_DIGITS and value.isascii() and value.isdigit():
        return sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(reversed(value))) % 10 == 0
    return False


def _ups(body: str) -> int:
    """UPS counts letters from A = 2 upwards, modulo 10, and doubles every second place."""
    numbers = (int(character) if character.isdigit() else (ord(character) - 63) % 10 for character in body)
    return -sum(number * (1 + place % 2) for place, number in enumerate(numbers)) % 10


def _upu(serial: str) -> int:
    rest = (
        11
        - sum(int(digit) * weight for digit, weight in zip(serial, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
        % 11
    )
    return {10: 0, 11: 5}.get(rest, rest)
