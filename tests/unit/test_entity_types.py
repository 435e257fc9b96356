"""membus.conversations.entity_types: a thing counts if it proves to be what it looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.conversations.entity_types import TYPES, find_entities
from membus.core.text.checksums import is_iban, is_isbn, is_payment_card, is_tracking_number


def found(text: str) -> list[tuple[str, str]]:
    return [(each.type, each.value) for each in find_entities(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("ISBN 978-0-306-40615-7 please", "isbn", "9780306406157"),
        ("is 9780306406157 in stock?", "isbn", "9780306406157"),
        ("the old one, isbn 0306406152", "isbn", "0306406152"),
        ("or 0-8044-2957-X", "isbn", "080442957X"),
        ("where is 123-1234567-1234567?", "order_id", "123-1234567-1234567"),
        ("order #4417 is late", "order_id", "4417"),
        ("my order number is ord-9921", "order_id", "ORD-9921"),
        ("booking reference: AB12CD", "order_id", "AB12CD"),
        ("track 1Z999AA10123456784", "tracking_number", "1Z999AA10123456784"),
        ("RR473124829GB has not moved", "tracking_number", "RR473124829GB"),
        ("mail ada.l+x@Example.COM.", "email", "ada.l+x@example.com"),
        ("https://www.Example.com:8080/a?b=c.", "url_host", "example.com"),
        ("see www.example.org, please", "url_host", "example.org"),
        ("http://user@evil.example/", "url_host", "evil.example"),
        ("B08N5WRWNW is out of stock", "asin", "B08N5WRWNW"),
        ("we run version 2.3", "version", "2.3"),
        ("on v1.2.0-RC1 it works", "version", "1.2.0-rc1"),
        ("since 3.11.4 it fails", "version", "3.11.4"),
        ("on 2026-12-04", "date", "2026-12-04"),
        ("on 4 December", "date", "--12-04"),
        ("by the 21st of March, 2027", "date", "2027-03-21"),
        ("before Feb 29th", "date", "--02-29"),
        ("it cost $1,234.50", "money", "1234.50 USD"),
        ("12,50 € for shipping", "money", "12.50 EUR"),
        ("refund 20 eur", "money", "20.00 EUR"),
        ("call +49 (30) 1234567", "phone", "+49301234567"),
        ("call 555-123-4567", "phone", "5551234567"),
        ("DE89 3704 0044 0532 0130 00", "iban", "DE89370400440532013000"),
        ("ABC-123 is open", "ticket", "ABC-123"),
        ("from 10.0.0.1", "ip_address", "10.0.0.1"),
        ("from 2001:DB8::1", "ip_address", "2001:db8::1"),
        ("HTTP 503 again", "error_code", "503"),
        ("error code E-1234", "error_code", "E-1234"),
        ("id 550E8400-e29b-41d4-a716-446655440000", "uuid", "550e8400-e29b-41d4-a716-446655440000"),
    ],
)
def test_a_thing_is_found_in_its_one_spelling(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "I want to order pizza",
        "in order to win",
        "order status",
        "978-0-306-40615-8",
        "isbn 0306406153",
        "1Z999AA10123456785",
        "RR473124828GB",
        "DE89 3704 0044 0532 0130 01",
        "B0ABCDEFGH",
        "2026-02-30",
        "30 February",
        "12/04/2026",
        "999.999.999.999",
        "12:30:45",
        "ada@",
        "@ada",
        "a..b@example.com",
        "http://localhost/",
        "1234",
        "call 12",
        "maybe 4 times",
        "3.14 is pi",
        "my card is 4111 1111 1111 1111",
        "card 5500-0000-0000-0004 expires",
        "https://",
        "B08n5wrwnw",
        "the order is late",
        "order 12",
        "٩٧٨٠٣٠٦٤٠٦١٥٧",
    ],
)
def test_what_only_looks_alike_is_nothing(text: str) -> None:
    assert found(text) == []


def test_two_spellings_are_one_thing_and_order_is_that_of_reading() -> None:
    text = "B08N5WRWNW, isbn 0-306-40615-2, then again 0-306-40615-2 and ISBN 0306406152"

    assert found(text) == [("asin", "B08N5WRWNW"), ("isbn", "0306406152")]


def test_a_long_list_is_no_topic() -> None:
    assert len(found(" ".join(f"TICK-{number}" for number in range(50)))) == 5


@given(st.text(alphabet="0123456789 -.@/:+$€ABZabisbnorderv", max_size=200))
def test_any_text_can_be_read_and_what_is_found_stands_where_it_says(text: str) -> None:
    for each in find_entities(text):
        assert 0 <= each.start < each.end <= len(text)
        assert each.type in {kind.name for kind in TYPES}
        assert "<" not in each.value


@pytest.mark.parametrize(
    ("holds", "number"),
    [
        (is_isbn, "9780306406157"),
        (is_isbn, "0306406152"),
        (is_isbn, "080442957X"),
        (is_iban, "GB82WEST12345698765432"),
        (is_payment_card, "4111111111111111"),
        (is_tracking_number, "1Z999AA10123456784"),
        (is_tracking_number, "RR473124829GB"),
        (is_tracking_number, "9205590164917312751089"),
    ],
)
def test_one_wrong_digit_breaks_a_check_digit(holds: object, number: str) -> None:
    assert callable(holds)
    assert holds(number)
    places = [place for place, character in enumerate(number) if character.isdigit() and place > 2]
    for place in places:
        wrong = str((int(number[place]) + 1) % 10)
        assert not holds(number[:place] + wrong + number[place + 1 :]), place
