"""A hot tier in a dictionary that can be out of reach, and forget."""

from typing import TypeVar

from membus.conversations.cache_records import CachedEntities, CachedProgress, CachedUnprocessed, CachedWindow
from membus.conversations.entities import EntitySnapshot
from membus.conversations.ports import CacheRecord
from membus.conversations.reply_jobs import StepProgress
from membus.core.identity import Owner, Record

Place = tuple[str, ...]
Kind = TypeVar("Kind", bound=Record)


class InMemoryConversationCache:
    def __init__(self) -> None:
        self.is_unavailable = False
        self.kept: dict[Place, str] = {}

    def get_window(self, tenant: str, conversation_id: str) -> CachedWindow | None:
        return self._held(("window", tenant, conversation_id), CachedWindow)

    def get_entities(self, tenant: str, conversation_id: str) -> EntitySnapshot | None:
        held = self._held(("entities", tenant, conversation_id), CachedEntities)
        return held.folded if held else None

    def get_progress(self, tenant: str, conversation_id: str, request_key: str) -> StepProgress | None:
        held = self._held(("progress", tenant, conversation_id, request_key), CachedProgress)
        return held.progress if held else None

    def get_unprocessed(self, owner: Owner) -> CachedUnprocessed | None:
        return self._held(("fresh", owner.tenant, owner.user), CachedUnprocessed)

    def put(self, held: CacheRecord) -> None:
        if not self.is_unavailable:
            self.kept[_place(held)] = held.model_dump_json()

    def evict_conversation(self, tenant: str, conversation_id: str) -> None:
        if not self.is_unavailable:
            for what in ("window", "entities"):
                self.kept.pop((what, tenant, conversation_id), None)

    def evict_user(self, owner: Owner) -> None:
        if not self.is_unavailable:
            self.kept.pop(("fresh", owner.tenant, owner.user), None)

    def _held(self, place: Place, kind: type[Kind]) -> Kind | None:
        found = None if self.is_unavailable else self.kept.get(place)
        return kind.model_validate_json(found) if found else None


def _place(held: CacheRecord) -> Place:
    if isinstance(held, CachedUnprocessed):
        return "fresh", held.owner.tenant, held.owner.user
    if isinstance(held, CachedProgress):
        return "progress", held.tenant_id, held.conversation_id, held.request_key
    return "window" if isinstance(held, CachedWindow) else "entities", held.tenant_id, held.conversation_id
