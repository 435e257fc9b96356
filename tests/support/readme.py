"""README's snippets, as somebody would paste them into a shell at the root of the checkout."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from localstack.home import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


class Snippet(NamedTuple):
    section: str
    language: str
    text: str


def snippets() -> Iterator[Snippet]:
    """Yield each fenced block with the heading that it stands under."""
    for part in re.split(r"^## ", README, flags=re.MULTILINE):
        section = part.partition("\n")[0]
        for language, text in re.findall(r"^```(\w*)\n(.*?)^```$", part, flags=re.DOTALL | re.MULTILINE):
            yield Snippet(section, language, text)


def shell(*sections: str) -> str:
    """Return the shell snippets of some sections as one script."""
    return "\n".join(each.text for each in snippets() if each.language == "sh" and each.section in sections)
