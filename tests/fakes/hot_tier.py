"""A hot tier in a dictionary that can be out of reach, and forget."""

from membus.domain.hot_window import HotWindow


class InMemoryHotTier:
    def __init__(self) -> None:
        self.away = False
        self.kept: dict[tuple[str, str], str] = {}

    def window(self, tenant: str, conversation_id: str) -> HotWindow | None:
        found = None if self.away else self.kept.get((tenant, conversation_id))
        return HotWindow.model_validate_json(found) if found else None

    def keep(self, window: HotWindow) -> None:
        if not self.away:
            self.kept[window.tenant_id, window.conversation_id] = window.model_dump_json()

    def drop(self, tenant: str, conversation_id: str) -> None:
        if not self.away:
            self.kept.pop((tenant, conversation_id), None)
