"""Large texts in a dictionary, which can be out of reach."""

from membus.core.errors import UnavailableError


class InMemoryBlobs:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.down = False

    def put_text(self, key: str, text: str) -> None:
        self._reach()
        self.kept[key] = text

    def get_text(self, key: str) -> str | None:
        self._reach()
        return self.kept.get(key)

    def delete_text(self, key: str) -> None:
        self._reach()
        self.kept.pop(key, None)

    def _reach(self) -> None:
        if self.down:
            raise UnavailableError("large texts cannot be reached")
