"""The settings of tenants in DynamoDB: every version, and a copy of the one in force.

They lie beside the tenant, in a partition of their own: whoever may change them may change no budget.
"""

from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import ItemKey, settings_pk
from membus.aws.dynamodb.table import ABSENT, DynamoTable, put_item, read_body
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.tenants.settings import SettingsReader, VersionedSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

CACHE_SECONDS = 30
CACHED_TENANTS_MAX = 1_000


class DynamoSettings:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def get_settings(self, tenant: str) -> VersionedSettings:
        item = self._table.get(_current_key(tenant), doing="reading a tenant's settings")
        return read_body(item, VersionedSettings) if item else VersionedSettings()

    def get_settings_version(self, tenant: str, version: int) -> VersionedSettings:
        item = self._table.get(_version_key(tenant, version), doing="reading a tenant's settings")
        if not item:
            raise NotFoundError(f"these settings have no version {version}")
        return read_body(item, VersionedSettings)

    def save_settings(self, tenant: str, changed: VersionedSettings) -> None:
        body = {"body": changed.model_dump_json(), "version": changed.version}
        expected = ABSENT if changed.version == 1 else "version = :before"
        values = None if changed.version == 1 else {":before": changed.version - 1}
        current = put_item(_current_key(tenant) | body, expected, values)
        kept = put_item(_version_key(tenant, changed.version) | body, ABSENT)
        try:
            self._table.transact([current, kept], doing="changing a tenant's settings")
        except ConflictError as error:
            raise ConflictError("somebody else changed the settings: read them again") from error


class CachedSettings:
    """Reads each tenant's settings twice a minute at most: a change is in force everywhere 30 seconds later."""

    def __init__(self, reader: SettingsReader, clock: Clock) -> None:
        self._reader, self._clock = reader, clock
        self._known: dict[str, tuple[float, VersionedSettings]] = {}

    def get_settings(self, tenant: str) -> VersionedSettings:
        now = self._clock().timestamp()
        read_at, found = self._known.get(tenant, (0.0, VersionedSettings()))
        if now - read_at < CACHE_SECONDS:
            return found
        found = self._reader.get_settings(tenant)
        if len(self._known) >= CACHED_TENANTS_MAX:
            self._known.clear()
        self._known[tenant] = now, found
        return found


def _current_key(tenant: str) -> ItemKey:
    return {"pk": settings_pk(tenant), "sk": "CURRENT"}


def _version_key(tenant: str, version: int) -> ItemKey:
    return {"pk": settings_pk(tenant), "sk": f"VERSION#{version:06}"}
