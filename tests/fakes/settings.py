"""The settings of tenants in memory."""

from datetime import UTC, datetime

from membus.core.errors import ConflictError, NotFoundError
from membus.tenants.settings import MemorySettings, VersionedSettings


class InMemorySettings:
    def __init__(self) -> None:
        self._versions: dict[str, list[VersionedSettings]] = {}

    def get_settings(self, tenant: str) -> VersionedSettings:
        return self._versions.get(tenant, [VersionedSettings()])[-1]

    def get_settings_version(self, tenant: str, version: int) -> VersionedSettings:
        for each in self._versions.get(tenant, []):
            if each.version == version:
                return each
        raise NotFoundError(f"these settings have no version {version}")

    def save_settings(self, tenant: str, changed: VersionedSettings) -> None:
        if changed.version != self.get_settings(tenant).version + 1:
            raise ConflictError("somebody else changed the settings: read them again")
        self._versions.setdefault(tenant, []).append(changed)

    def change(self, tenant: str, settings: MemorySettings) -> None:
        """Set the settings of a tenant as if by the API."""
        version = self.get_settings(tenant).version + 1
        changed_at = datetime(2026, 3, 1, tzinfo=UTC)
        changed = VersionedSettings(version=version, changed_at=changed_at, settings=settings)
        self.save_settings(tenant, changed)
