"""scripts/tier_report: what lay where at the end of every month, and what it cost."""

from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

from membus.domain.cold import ColdObject
from scripts.tier_report import DOLLARS, months, page_of

MB = 10**6
TODAY = date(2026, 11, 20)


def lying(day: date, size: int = MB, *, tenant: str = "acme") -> ColdObject:
    return ColdObject(
        tenant=tenant, agent="guide", day=day, name=f"o{day}", first="0", last="1", rows=10, bytes=size,
        sha256="", hot_until=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_objects_move_to_colder_classes_as_they_age() -> None:
    found = months([lying(date(2025, 10, 5)), lying(date(2026, 9, 30), 3 * MB)], today=TODAY)

    assert [f"{month.day:%Y-%m}" for month in found] == [
        "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07",
        "2026-08", "2026-09", "2026-10", "2026-11",
    ]  # fmt: skip
    assert dict(found[0].stored) == {"STANDARD": MB}
    assert dict(found[1].stored) == {"INTELLIGENT_TIERING": MB}
    assert dict(found[-1].stored) == {"GLACIER_IR": MB, "INTELLIGENT_TIERING": 3 * MB}
    assert found[0].dollars == DOLLARS["STANDARD"] / 1000


def test_an_object_too_small_for_colder_classes_stays_where_it_is() -> None:
    (*_, last) = months([lying(date(2024, 1, 1), 1000)], today=TODAY)

    assert dict(last.stored) == {"STANDARD": 1000}


def test_the_page_stands_alone_and_hides_no_markup_of_a_tenants_name() -> None:
    page = page_of("a<b>", [lying(date(2026, 10, 5))], today=TODAY)

    assert "<b>" not in page
    assert "<script" not in page
    drawings = [f"<svg{part.split('</svg>')[0]}</svg>" for part in page.split("<svg")[1:]]
    assert len(drawings) == 2
    for drawing in drawings:
        ET.fromstring(drawing)  # noqa: S314 - our own drawing


def test_nothing_archived_is_a_page_without_figures() -> None:
    assert "0 episodes in 0 objects" in page_of("acme", [], today=TODAY)
