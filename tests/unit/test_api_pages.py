"""functions/api/pages: a cursor is good for one tenant and one query, and cannot be made elsewhere."""

import base64
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api.pages import read_cursor, write_cursor
from membus.core.errors import InvalidError
from tests.factories import ADA, a_conversation, a_turn, an_observation, learn
from tests.fakes.cursor_signer import HmacCursorSigner
from tests.support.api_client import ApiTestClient

SIGNER = HmacCursorSigner()
AFTER = {"pk": "T#acme#U#ada", "sk": "FACT#home.city"}
QUERY = "facts\nacme\nada\nNone"


def refused(cursor: str, *, query: str = QUERY, signer: HmacCursorSigner = SIGNER) -> str:
    with pytest.raises(InvalidError) as error:
        read_cursor(cursor, query=query, signer=signer)
    return error.value.code


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.text())
def test_cursor_returns_the_key_it_was_made_of(after: dict[str, str], query: str) -> None:
    cursor = write_cursor(after, query=query, signer=SIGNER)

    assert read_cursor(cursor, query=query, signer=SIGNER) == after


def test_the_last_page_has_no_cursor_and_the_first_needs_none() -> None:
    assert write_cursor(None, query=QUERY, signer=SIGNER) is None
    assert read_cursor(None, query=QUERY, signer=SIGNER) is None


def test_cursor_changed_in_any_byte_is_rejected() -> None:
    cursor = write_cursor(AFTER, query=QUERY, signer=SIGNER)
    assert cursor is not None
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    for place in range(len(raw)):
        for flip in (1, 128):
            changed = raw[:place] + bytes([raw[place] ^ flip]) + raw[place + 1 :]
            assert refused(base64.urlsafe_b64encode(changed).decode().rstrip("=")) == "bad_cursor"
    for length in range(len(cursor)):
        assert refused(cursor[:length]) == "bad_cursor"
    assert refused(cursor + "AAAA") == "bad_cursor"


@pytest.mark.parametrize("cursor", ["", "x", "????", "ü", "\ud800", "AAAA", "A" * 2048, "bnVsbA", " ", "a=b"])
def test_malformed_cursor_is_rejected(cursor: str) -> None:
    assert refused(cursor) == "bad_cursor"


@pytest.mark.parametrize(
    "query",
    [
        "facts\nzeta\nada\nNone",
        "facts\nacme\nbob\nNone",
        "facts\nacme\nada\nwork",
        "facts\nacme\nada\nNone\n",
    ],
)
def test_cursor_of_another_query_is_rejected(query: str) -> None:
    cursor = write_cursor(AFTER, query=query, signer=SIGNER)

    assert cursor is not None
    assert refused(cursor) == "bad_cursor"
    assert refused(cursor, query=query, signer=HmacCursorSigner(b"another key")) == "bad_cursor"


def test_cursor_of_the_longest_ids_fits_its_parameter() -> None:
    after = {"pk": f"T#{'a' * 63}#U#{'語' * 128}", "sk": f"FACT#likes.{'語' * 60}"}

    assert len(write_cursor(after, query=QUERY, signer=SIGNER) or "") <= 2048


def test_cursor_is_valid_for_one_tenant_and_one_listing(door: ApiTestClient) -> None:
    learn(door.facts, ADA, *(an_observation("x", key=f"likes.{n}") for n in range(3)))
    for number in range(3):
        door.conversations.create_conversation(a_conversation(f"c{number}"), request_key=uuid4().hex)
    door.conversations.add_turn("acme", "c0", a_turn(), request_key="k", title=None)
    paths = ["/v1/users/ada/facts", "/v1/conversations", "/v1/conversations/c0/messages"]
    cursors = {path: door.get(path, "limit=1").json["next_cursor"] for path in paths}

    for path in [
        *paths,
        "/v1/users/ada/facts?kind=work",
        "/v1/users/bob/facts",
        "/v1/conversations/c1/messages",
    ]:
        for origin, cursor in cursors.items():
            where, _, kind = path.partition("?")
            answer = door.get(where, f"limit=1&cursor={cursor}" + (f"&{kind}" if kind else ""))
            if origin == path:
                assert answer.status == 200
            else:
                assert (answer.status, answer.code) == (400, "bad_cursor")
    door.tenant = "zeta"
    for path in paths:
        answer = door.get(path, f"limit=1&cursor={cursors[path]}")
        assert (answer.status, answer.code) == (400, "bad_cursor")
