"""scripts.documents: generated parts of the documents are those that the code makes."""

import re
from pathlib import Path

import pytest

from scripts.documents import EVENTS, PAGES, ROOT, WRITERS, filled, schemas


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert text == filled(text), "run `make docs`"


def test_every_generated_part_has_a_place() -> None:
    texts = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert set(re.findall(r"<!-- generated: ([a-z-]+) -->", texts)) == set(WRITERS)


@pytest.mark.parametrize("name", sorted(schemas()))
def test_generated_schemas_are_up_to_date(name: str) -> None:
    assert (EVENTS / name).read_text(encoding="utf-8") == schemas()[name], "run `make docs`"


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((ROOT / "docs").glob("*/*.md"))], ids=lambda page: page.name
)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []
