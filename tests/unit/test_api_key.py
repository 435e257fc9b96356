"""membus.tenants.api_keys: what a key looks like, and when it opens the door."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.core.errors import UnauthorizedError
from membus.tenants.api_keys import ApiKey, ApiScope, Credential, verify_key

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CREDENTIAL = Credential.generate("dev")
STORED = ApiKey(
    key_id=CREDENTIAL.key_id,
    tenant_id="acme",
    name="web",
    scopes=(ApiScope.CHAT,),
    secret_hash=CREDENTIAL.secret_hash,
    created_at=NOON,
)


def test_a_key_reads_back_as_it_was_made() -> None:
    assert re.fullmatch(r"mb_dev_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}", CREDENTIAL.full_text)
    assert Credential.parse(CREDENTIAL.full_text) == CREDENTIAL


def test_no_two_keys_are_alike() -> None:
    assert len({Credential.generate("dev").secret for _ in range(100)}) == 100


def test_a_secret_shows_in_no_representation() -> None:
    assert CREDENTIAL.secret not in repr(CREDENTIAL)
    assert STORED.secret_hash not in repr(STORED)


@given(position=st.integers(0, len(CREDENTIAL.full_text) - 1), other=st.characters())
def test_any_changed_character_is_refused(position: int, other: str) -> None:
    text = CREDENTIAL.full_text
    changed = text[:position] + other + text[position + 1 :]
    if changed != text:
        with pytest.raises(UnauthorizedError):
            Credential.parse(changed)


@given(st.text() | st.from_regex(r"mb_[a-z]{3}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}", fullmatch=True))
def test_what_membus_did_not_make_is_refused(text: str) -> None:
    with pytest.raises(UnauthorizedError):
        Credential.parse(text)


@pytest.mark.parametrize("edit", [str.upper, lambda text: text + "\n", lambda text: text[:-1], str.swapcase])
def test_a_key_is_taken_to_the_letter(edit: Callable[[str], str]) -> None:
    with pytest.raises(UnauthorizedError):
        Credential.parse(edit(CREDENTIAL.full_text))


def test_the_right_secret_opens_its_key() -> None:
    assert verify_key(CREDENTIAL, STORED, now=NOON) == STORED


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (None, "unknown key"),
        (replace(STORED, secret_hash=Credential.generate("dev").secret_hash), "wrong secret"),
        (replace(STORED, revoked_at=NOON), "revoked key"),
        (replace(STORED, expires_at=NOON), "expired key"),
        (replace(STORED, expires_at=NOON - timedelta(days=3)), "expired key"),
    ],
)
def test_a_key_that_does_not_hold_is_refused_with_its_reason(stored: ApiKey | None, reason: str) -> None:
    with pytest.raises(UnauthorizedError, match=f"^{reason}$"):
        verify_key(CREDENTIAL, stored, now=NOON)


def test_a_key_holds_until_the_moment_it_expires() -> None:
    lasting = replace(STORED, expires_at=NOON + timedelta(seconds=1))

    assert verify_key(CREDENTIAL, lasting, now=NOON) == lasting
