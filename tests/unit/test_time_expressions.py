"""membus.core.text.time_expressions: which days a text names, for a statement and for a question."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.core.text.time_expressions import find_time_expressions
from membus.search.query_periods import QueryPeriod, fit_periods, parse_query_periods

SUNDAY = date(2026, 3, 1)


def named(text: str, *, ahead: bool = False) -> list[tuple[str, str]]:
    found = find_time_expressions(text, SUNDAY, ahead=ahead)
    return [(each.first.isoformat(), each.last.isoformat()) for each in found]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("yesterday", "2026-02-28", "2026-02-28"),
        ("the day before yesterday", "2026-02-27", "2026-02-27"),
        ("seven days ago", "2026-02-22", "2026-02-22"),
        ("a couple of weeks ago", "2026-02-15", "2026-02-15"),
        ("last weekend", "2026-02-21", "2026-02-22"),
        ("next month", "2026-04-01", "2026-04-30"),
        ("last friday", "2026-02-27", "2026-02-27"),
        ("on 24 may, 2023", "2023-05-24", "2023-05-24"),
        ("february 29th, 2024", "2024-02-29", "2024-02-29"),
        ("june", "2025-06-01", "2025-06-30"),
        ("in may", "2025-05-01", "2025-05-31"),
        ("sept. 2024", "2024-09-01", "2024-09-30"),
        ("last summer", "2025-06-01", "2025-08-31"),
        ("winter of 2023", "2023-12-01", "2024-02-29"),
        ("2023-05", "2023-05-01", "2023-05-31"),
        ("in 2019", "2019-01-01", "2019-12-31"),
    ],
)
def test_an_expression_names_days(text: str, first: str, last: str) -> None:
    assert named(text) == [(first, last)]


@pytest.mark.parametrize("text", ["i may go", "999 years ago", "room 2023-55-1", "$2019", "2019.50"])
def test_other_words_name_no_days(text: str) -> None:
    assert named(text) == []


def test_what_is_told_ahead_is_still_to_come() -> None:
    assert named("on friday or in june", ahead=True) == [
        ("2026-03-06", "2026-03-06"),
        ("2026-06-01", "2026-06-30"),
    ]


@pytest.mark.parametrize(
    ("question", "period"),
    [
        ("What did I do in June?", QueryPeriod(date(2025, 6, 1), date(2025, 6, 30), yearly=True)),
        ("What did I do last June?", QueryPeriod(date(2025, 6, 1), date(2025, 6, 30))),
        ("What did I do two weeks ago?", QueryPeriod(date(2026, 2, 12), date(2026, 2, 18))),
        ("What did I do last week?", QueryPeriod(date(2026, 2, 15), SUNDAY)),
        ("Where was I in 2019, in May?", QueryPeriod(date(2025, 5, 1), date(2025, 5, 31), yearly=True)),
        ("Where was I in 2019?", QueryPeriod(date(2019, 1, 1), date(2019, 12, 31))),
    ],
)
def test_a_question_asks_about_a_period(question: str, period: QueryPeriod) -> None:
    assert parse_query_periods(question, SUNDAY) == (period,)


def test_a_month_without_a_year_is_that_of_every_year() -> None:
    periods = parse_query_periods("What did I do in June?", SUNDAY)

    assert fit_periods(date(2021, 6, 15), periods) == fit_periods(date(2024, 6, 1), periods) == 1.0
    assert fit_periods(date(2024, 1, 1), periods) == 0.0


@given(st.text(max_size=60), st.dates(date(1970, 1, 1)))
def test_any_text_can_be_read(words: str, today: date) -> None:
    text = f"since {words} until next {words} in 3 {words} years of may {words}"

    for each in find_time_expressions(text, today):
        assert each.first <= each.last
    parse_query_periods(text, today)
