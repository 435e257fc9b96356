"""API keys: `KEY#<key id>`/`KEY` is the key, `T#<tenant>`/`KEY#<key id>` lists it for its tenant."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.core.errors import NotFoundError
from membus.tenants.api_keys import ApiKey, ApiScope

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoApiKeys:
    def __init__(self, table: "Table") -> None:
        self._table, self._client = table, table.meta.client

    def find_key(self, key_id: str) -> ApiKey | None:
        with translate_dynamodb_errors("reading a key"):
            answer = self._table.get_item(Key=_key(key_id), ConsistentRead=True)
        return _from_item(answer["Item"]) if "Item" in answer else None

    def add_key(self, key: ApiKey) -> None:
        # TTL removes both once the key has expired: an unknown key and an expired one are refused alike.
        lifetime = {"expires_at": int(key.expires_at.timestamp())} if key.expires_at else {}
        listing = {"pk": f"T#{key.tenant_id}", "sk": f"KEY#{key.key_id}"}
        with translate_dynamodb_errors(f"adding key {key.key_id}"):
            self._client.transact_write_items(
                TransactItems=[self._new(_to_item(key) | lifetime), self._new(listing | lifetime)]
            )

    def list_keys(self, tenant_id: str) -> list[ApiKey]:
        query = self._client.get_paginator("query")
        with translate_dynamodb_errors(f"listing the keys of {tenant_id}"):
            pages = query.paginate(
                TableName=self._table.name,
                KeyConditionExpression="pk = :tenant AND begins_with(sk, :keys)",
                ExpressionAttributeValues={":tenant": f"T#{tenant_id}", ":keys": "KEY#"},
                ConsistentRead=True,
            )
            ids = [str(item["sk"]).removeprefix("KEY#") for page in pages for item in page["Items"]]
        found = [key for key_id in ids if (key := self.find_key(key_id))]
        return sorted(found, key=lambda key: (key.created_at, key.key_id))

    def revoke_key(self, key_id: str, *, at: datetime) -> ApiKey:
        with translate_dynamodb_errors(f"revoking key {key_id}"):
            try:
                answer = self._table.update_item(
                    Key=_key(key_id),
                    UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :at)",
                    ConditionExpression="attribute_exists(pk)",  # an update would otherwise invent the key
                    ExpressionAttributeValues={":at": at.isoformat()},
                    ReturnValues="ALL_NEW",
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                raise NotFoundError(f"no key {key_id}") from error
        return _from_item(answer["Attributes"])

    def _new(self, item: dict[str, Any]) -> Any:
        condition = "attribute_not_exists(pk)"
        return {"Put": {"TableName": self._table.name, "Item": item, "ConditionExpression": condition}}


def _key(key_id: str) -> dict[str, Any]:
    return {"pk": f"KEY#{key_id}", "sk": "KEY"}


def _to_item(key: ApiKey) -> dict[str, Any]:
    return _key(key.key_id) | {
        "tenant_id": key.tenant_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "secret_hash": key.secret_hash,
        "created_at": key.created_at.isoformat(),
    }


def _from_item(item: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        key_id=item["pk"].removeprefix("KEY#"),
        tenant_id=item["tenant_id"],
        name=item["name"],
        scopes=tuple(ApiScope(scope) for scope in item["scopes"]),
        secret_hash=item["secret_hash"],
        created_at=datetime.fromisoformat(item["created_at"]),
        expires_at=datetime.fromtimestamp(int(item["expires_at"]), UTC) if "expires_at" in item else None,
        revoked_at=datetime.fromisoformat(item["revoked_at"]) if "revoked_at" in item else None,
    )
