"""Secrets by their form: what opens something is kept nowhere, not even for a person to look at."""

import math
import re
from collections import Counter

_FORMS = re.compile(
    r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[0-9A-Za-z]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeoprs]-[0-9A-Za-z-]{10,}"
    r"|\b[srp]k_(?:live|test)_[0-9A-Za-z]{10,}|\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{20,}|\bAIza[0-9A-Za-z_-]{30,}"
    r"|\bmb_[a-z0-9]{1,16}_[0-9A-Za-z]{40,}|\bnpm_[0-9A-Za-z]{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY|\b[a-z]+://[^\s/:@]+:[^\s/@]+@"
)
_NAMED = re.compile(
    r"(?:\b(?:pass ?words?|passwd|pwd|pass ?phrase|pass ?code|pin(?: code| number)?|cvv|cvc|otp|one-time code"
    r"|2fa code|secret key|private key|api[ _-]?key|access key|(?:access|auth|bearer|refresh|session)[ _-]?token"
    r"|my token"
    r"|seed phrase|recovery (?:phrase|code)|passwort|kennwort|contraseña|clave|senha|palavra-passe|mot de passe"
    r"|wachtwoord|пароль)|密码|密碼|パスワード|비밀번호)"
    r"\W{0,3}(?:(?:is|was|are|ist|es|é|est|lautet|is set to|to|=|:|是|は|для)\W{1,3}|是|は|[:=]\s*)\S",
    re.IGNORECASE,
)
_SOCIAL_SECURITY = re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}\b")
_CARD = re.compile(r"(?<![\d+])[2-6]\d(?:[ -]?\d){11,17}(?!\d)")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,4})?\b")
_BLOB = re.compile(r"(?<![\w/+.-])(?=[\w/+-]*\d)(?=[\w/+-]*[A-Za-z])[\w/+-]{32,}={0,2}(?![\w/+-])")
_BITS_A_CHARACTER = 3.0
"""Hexadecimal digits of a digest carry 3.3 to 4 bits each, English and snake_case names of that length under 3."""


def contains_secret(text: str) -> bool:
    """Whether the text holds a key, token, password, card or account number.

    The last two by their checksums.
    """
    if any(form.search(text) for form in (_FORMS, _NAMED, _SOCIAL_SECURITY)):
        return True
    cards = (re.sub(r"\D", "", found[0]) for found in _CARD.finditer(text))
    accounts = (found[0].replace(" ", "") for found in _ACCOUNT.finditer(text))
    return (
        any(map(_luhn, cards))
        or any(map(_iban, accounts))
        or any(_random(found[0]) for found in _BLOB.finditer(text))
    )


def _luhn(digits: str) -> bool:
    """Whether the check digit of a card number (ISO/IEC 7812-1) is right."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def _iban(account: str) -> bool:
    """Whether the check digits of an account number (ISO 13616) are right.

    An IBAN has 15 to 34 characters.
    """
    longest = 34
    candidates = (account[:length] for length in range(15, min(len(account), longest) + 1))
    return any(
        int("".join(str(int(sign, 36)) for sign in each[4:] + each[:4])) % 97 == 1 for each in candidates
    )


def _random(blob: str) -> bool:
    counts = Counter(blob)
    return -sum(n / len(blob) * math.log2(n / len(blob)) for n in counts.values()) >= _BITS_A_CHARACTER
