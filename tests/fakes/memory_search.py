"""A search that finds what a test says; `away` takes it down."""

from collections.abc import Sequence

from membus.conversations.recall import RecalledPassage
from membus.core.errors import UnavailableError
from membus.core.identity import Owner


class InMemoryMemorySearch:
    def __init__(self) -> None:
        self.away = False
        self.passages: dict[Owner, list[RecalledPassage]] = {}
        self.asked: list[str] = []

    def search(self, owner: Owner, message: str, *, agent: str, limit: int) -> list[RecalledPassage]:
        self._check()
        self.asked.append(message)
        return self.passages.get(owner, [])[:limit]

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        self._check()
        texts: dict[str, list[str]] = {}
        for owner, passages in self.passages.items():
            for passage in passages if owner.tenant == tenant else ():
                if passage.memory_id in memory_ids:
                    texts.setdefault(passage.memory_id, []).append(passage.text)
        return texts

    def _check(self) -> None:
        if self.away:
            raise UnavailableError("the search does not answer")
