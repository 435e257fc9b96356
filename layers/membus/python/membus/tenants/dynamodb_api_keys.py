"""API keys in DynamoDB: the key under its id, and an entry in its tenant's partition."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import API_KEY_PREFIX, ItemKey, api_key_pk, tenant_pk
from membus.aws.dynamodb.table import ABSENT, PRESENT, DynamoTable, Item, put_item, update_item, within
from membus.core.errors import ConflictError, NotFoundError
from membus.tenants.api_keys import ApiKey, ApiScope

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoApiKeys:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def find_key(self, key_id: str) -> ApiKey | None:
        item = self._table.get(_key(key_id), doing="reading a key")
        return _from_item(item) if item else None

    def add_key(self, key: ApiKey) -> None:
        # TTL deletes both after the key has expired: unknown and expired keys are refused alike.
        lifetime = {"expires_at": int(key.expires_at.timestamp())} if key.expires_at else {}
        listing = {"pk": tenant_pk(key.tenant_id), "sk": f"{API_KEY_PREFIX}{key.key_id}"}
        items = ({**_to_item(key), **lifetime}, {**listing, **lifetime})
        self._table.transact([put_item(item, ABSENT) for item in items], doing=f"adding key {key.key_id}")

    def list_keys(self, tenant_id: str) -> list[ApiKey]:
        entries = within(tenant_pk(tenant_id), API_KEY_PREFIX)
        items = self._table.query(entries, doing=f"listing the keys of {tenant_id}")
        ids = [str(item["sk"]).removeprefix(API_KEY_PREFIX) for item in items]
        found = [key for key_id in ids if (key := self.find_key(key_id))]
        return sorted(found, key=lambda key: (key.created_at, key.key_id))

    def revoke_key(self, key_id: str, *, at: datetime) -> ApiKey:
        expression, values = "SET revoked_at = if_not_exists(revoked_at, :at)", {":at": at.isoformat()}
        update = update_item(_key(key_id), expression, PRESENT, values)
        try:
            item = self._table.write(update, doing=f"revoking key {key_id}", returns="ALL_NEW")
        except ConflictError as error:
            raise NotFoundError(f"no key {key_id}") from error
        return _from_item(item)


def _key(key_id: str) -> ItemKey:
    return {"pk": api_key_pk(key_id), "sk": "KEY"}


def _to_item(key: ApiKey) -> Item:
    return {
        **_key(key.key_id),
        "tenant_id": key.tenant_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "secret_hash": key.secret_hash,
        "created_at": key.created_at.isoformat(),
    }


def _from_item(item: Item) -> ApiKey:
    return ApiKey(
        key_id=item["pk"].removeprefix(API_KEY_PREFIX),
        tenant_id=item["tenant_id"],
        name=item["name"],
        scopes=tuple(ApiScope(scope) for scope in item["scopes"]),
        secret_hash=item["secret_hash"],
        created_at=datetime.fromisoformat(item["created_at"]),
        expires_at=datetime.fromtimestamp(int(item["expires_at"]), UTC) if "expires_at" in item else None,
        revoked_at=datetime.fromisoformat(item["revoked_at"]) if "revoked_at" in item else None,
    )
