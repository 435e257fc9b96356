"""scripts/tier_report and its page: what lay where at the end of every month, and what it cost."""

import re
from datetime import UTC, date, datetime, time
from xml.etree import ElementTree as ET

import pytest

from membus.episodes.archive.model import ArchiveObject
from scripts.tier.report import (
    DOLLARS,
    HOT_BYTES,
    format_bytes,
    format_dollars,
    list_months,
    render_page,
)

MB = 10**6
TODAY = date(2026, 11, 20)


def lying(day: date, size: int = MB, *, hot_until: date = date(2020, 1, 1)) -> ArchiveObject:
    return ArchiveObject(
        tenant="acme",
        agent="guide",
        day=day,
        name=f"o{day}",
        first="0",
        last="1",
        rows=10,
        bytes=size,
        sha256="",
        hot_until=datetime.combine(hot_until, time(), UTC),
    )


def test_objects_move_to_colder_classes_as_they_age() -> None:
    found = list_months([lying(date(2025, 10, 5)), lying(date(2026, 9, 30), 3 * MB)], today=TODAY)

    assert [f"{month.day:%Y-%m}" for month in found] == [
        "2025-10",
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
        "2026-03",
        "2026-04",
        "2026-05",
        "2026-06",
        "2026-07",
        "2026-08",
        "2026-09",
        "2026-10",
        "2026-11",
    ]
    assert dict(found[0].stored) == {"STANDARD": MB}
    assert dict(found[1].stored) == {"INTELLIGENT_TIERING": MB}
    assert dict(found[-1].stored) == {"GLACIER_IR": MB, "INTELLIGENT_TIERING": 3 * MB}
    assert found[0].cost_dollars == DOLLARS["STANDARD"] / 1000


def test_an_object_too_small_for_colder_classes_stays_where_it_is() -> None:
    (*_, last) = list_months([lying(date(2024, 1, 1), 1000)], today=TODAY)

    assert dict(last.stored) == {"STANDARD": 1000}


def test_a_hot_copy_beside_a_cold_one_is_counted_in_both_tiers_until_it_expires() -> None:
    before, after = list_months(
        [lying(date(2025, 12, 5), hot_until=date(2026, 1, 5))], today=date(2026, 1, 5)
    )

    assert dict(before.stored) == {"STANDARD": MB, "DYNAMODB": 10 * HOT_BYTES}
    assert dict(after.stored) == {"INTELLIGENT_TIERING": MB}
    assert after.all_hot_dollars == 10 * HOT_BYTES * DOLLARS["DYNAMODB"] / 10**9


def test_the_page_stands_alone_and_hides_no_markup_of_a_tenants_name() -> None:
    page = render_page("a<b>", [lying(date(2025, 1, 5)), lying(date(2026, 10, 5))], today=TODAY)

    assert "<b>" not in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!#)', page), "nothing is fetched"
    assert "prefers-color-scheme:dark" in page
    drawings = [f"<svg{part.split('</svg>')[0]}</svg>" for part in page.split("<svg")[1:]]
    assert len(drawings) == 2
    for drawing in drawings:
        root = ET.fromstring(drawing)  # noqa: S314 - our own drawing
        assert root.get("role") == "img"
        named = {each.get("id"): each.text for each in root.iter() if each.get("id")}
        assert all(named[part] for part in root.get("aria-labelledby", "").split())


def test_every_bar_says_its_month_tier_and_amount_and_no_id_is_there_twice() -> None:
    page = render_page("acme", [lying(date(2025, 1, 5), 3 * MB), lying(date(2026, 10, 5))], today=TODAY)

    assert "<title>Nov 2026, S3 Glacier Instant Retrieval: 3 MB</title>" in page
    assert "<title>Nov 2026, S3 Standard: 0 B</title>" in page
    assert "<title>Nov 2026, S3 Intelligent-Tiering: 1 MB</title>" in page
    found = re.findall(r'\bid="([^"]+)"', page)
    assert len(found) == len(set(found))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', page)) <= set(found)


def test_colours_are_the_pages_by_day_and_by_night() -> None:
    page = render_page("acme", [lying(date(2026, 10, 5))], today=TODAY)

    assert not re.search(r"#0[0-9a-b]{5}", page)
    assert page.count("fill: var(--tier-") > 4
    assert "DejaVu" not in page


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (999, "999 B"), (999.6, "1 kB"), (1_300, "1.3 kB"), (12_345_678, "12.3 MB")],
)
def test_volumes_have_three_digits_and_a_unit(size: float, said: str) -> None:
    assert format_bytes(size) == said


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0, "$0.00"),
        (0.5, "$0.50"),
        (0.25, "$0.25"),
        (0.000_023_45, "$0.000023"),
        (12.345, "$12.35"),
        (4_000, "$4,000.00"),
    ],
)
def test_dollars_show_two_digits_however_few_they_are(dollars: float, said: str) -> None:
    assert format_dollars(dollars) == said


def test_nothing_archived_is_a_page_without_figures() -> None:
    assert "0 episodes in 0 objects" in render_page("acme", [], today=TODAY)
