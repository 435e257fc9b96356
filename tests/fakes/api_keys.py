"""API keys in a dictionary."""

from dataclasses import replace
from datetime import datetime

from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.tenants.api_keys import ApiKey


class InMemoryApiKeys:
    """Remembers which key ids were asked for; `down` makes the store fail as a throttled table does."""

    def __init__(self, *keys: ApiKey, down: bool = False) -> None:
        self._keys = {key.key_id: key for key in keys}
        self._down = down
        self.asked: list[str] = []

    def find_key(self, key_id: str) -> ApiKey | None:
        self.asked.append(key_id)
        if self._down:
            raise UnavailableError("the keys table: ThrottlingException")
        return self._keys.get(key_id)

    def add_key(self, key: ApiKey) -> None:
        if key.key_id in self._keys:
            raise ConflictError(f"key {key.key_id} exists")
        self._keys[key.key_id] = key

    def list_keys(self, tenant_id: str) -> list[ApiKey]:
        mine = (key for key in self._keys.values() if key.tenant_id == tenant_id)
        return sorted(mine, key=lambda key: (key.created_at, key.key_id))

    def revoke_key(self, key_id: str, *, at: datetime) -> ApiKey:
        if key_id not in self._keys:
            raise NotFoundError(f"no key {key_id}")
        key = self._keys[key_id]
        self._keys[key_id] = replace(key, revoked_at=key.revoked_at or at)
        return self._keys[key_id]
