"""A hot tier in a dictionary that can be out of reach, and forget."""

from typing import TypeVar

from membus.domain.entities import Folded
from membus.domain.hot_records import HotEntities, HotFresh, HotProgress
from membus.domain.hot_window import HotWindow
from membus.domain.identity import Owner, Record
from membus.domain.pending import Progress
from membus.ports.hot_tier import Hot

Place = tuple[str, ...]
Kind = TypeVar("Kind", bound=Record)


class InMemoryHotTier:
    def __init__(self) -> None:
        self.away = False
        self.kept: dict[Place, str] = {}

    def window(self, tenant: str, conversation_id: str) -> HotWindow | None:
        return self._held(("window", tenant, conversation_id), HotWindow)

    def entities(self, tenant: str, conversation_id: str) -> Folded | None:
        held = self._held(("entities", tenant, conversation_id), HotEntities)
        return held.folded if held else None

    def progress(self, tenant: str, conversation_id: str, request_key: str) -> Progress | None:
        held = self._held(("progress", tenant, conversation_id, request_key), HotProgress)
        return held.progress if held else None

    def fresh(self, owner: Owner) -> HotFresh | None:
        return self._held(("fresh", owner.tenant, owner.user), HotFresh)

    def keep(self, held: Hot) -> None:
        if not self.away:
            self.kept[_place(held)] = held.model_dump_json()

    def drop(self, tenant: str, conversation_id: str) -> None:
        if not self.away:
            for what in ("window", "entities"):
                self.kept.pop((what, tenant, conversation_id), None)

    def forget(self, owner: Owner) -> None:
        if not self.away:
            self.kept.pop(("fresh", owner.tenant, owner.user), None)

    def _held(self, place: Place, kind: type[Kind]) -> Kind | None:
        found = None if self.away else self.kept.get(place)
        return kind.model_validate_json(found) if found else None


def _place(held: Hot) -> Place:
    if isinstance(held, HotFresh):
        return "fresh", held.owner.tenant, held.owner.user
    if isinstance(held, HotProgress):
        return "progress", held.tenant_id, held.conversation_id, held.request_key
    return "window" if isinstance(held, HotWindow) else "entities", held.tenant_id, held.conversation_id
