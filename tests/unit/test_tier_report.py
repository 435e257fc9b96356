"""scripts/tier/report: what was stored in which tier at the end of every month, and what it cost."""

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


def an_object(day: date, size: int = MB, *, hot_until: date = date(2020, 1, 1)) -> ArchiveObject:
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
    found = list_months([an_object(date(2025, 10, 5)), an_object(date(2026, 9, 30), 3 * MB)], today=TODAY)

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


def test_small_object_stays_in_the_standard_class() -> None:
    (*_, last) = list_months([an_object(date(2024, 1, 1), 1000)], today=TODAY)

    assert dict(last.stored) == {"STANDARD": 1000}


def test_hot_copy_of_an_archived_episode_counts_in_both_tiers() -> None:
    before, after = list_months(
        [an_object(date(2025, 12, 5), hot_until=date(2026, 1, 5))], today=date(2026, 1, 5)
    )

    assert dict(before.stored) == {"STANDARD": MB, "DYNAMODB": 10 * HOT_BYTES}
    assert dict(after.stored) == {"INTELLIGENT_TIERING": MB}
    assert after.all_hot_dollars == 10 * HOT_BYTES * DOLLARS["DYNAMODB"] / 10**9


def test_page_loads_nothing_and_escapes_the_name_of_the_tenant() -> None:
    page = render_page("a<b>", [an_object(date(2025, 1, 5)), an_object(date(2026, 10, 5))], today=TODAY)

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


def test_every_bar_has_its_month_tier_and_amount_and_ids_are_unique() -> None:
    page = render_page(
        "acme", [an_object(date(2025, 1, 5), 3 * MB), an_object(date(2026, 10, 5))], today=TODAY
    )

    assert "<title>Nov 2026, S3 Glacier Instant Retrieval: 3 MB</title>" in page
    assert "<title>Nov 2026, S3 Standard: 0 B</title>" in page
    assert "<title>Nov 2026, S3 Intelligent-Tiering: 1 MB</title>" in page
    found = re.findall(r'\bid="([^"]+)"', page)
    assert len(found) == len(set(found))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', page)) <= set(found)


def test_colours_are_those_of_the_page_by_day_and_night() -> None:
    page = render_page("acme", [an_object(date(2026, 10, 5))], today=TODAY)

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
def test_small_amounts_have_two_digits(dollars: float, said: str) -> None:
    assert format_dollars(dollars) == said


def test_page_without_objects_has_no_figures() -> None:
    assert "0 episodes in 0 objects" in render_page("acme", [], today=TODAY)
