"""Tenants in the tenants table: `T#<tenant>`/`META`."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.domain.rates import RateLimits
from membus.domain.tenant import Tenant
from membus.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoTenants:
    def __init__(self, table: "Table") -> None:
        self._table, self._client = table, table.meta.client

    def add(self, tenant: Tenant) -> None:
        item = _tenant_key(tenant.tenant_id) | {
            "name": tenant.name,
            "created_at": tenant.created_at.isoformat(),
        }
        if tenant.daily_dollars is not None:
            item["daily_dollars"] = tenant.daily_dollars
        if tenant.rates is not None:
            item["rates"] = tenant.rates.model_dump_json()
        with translate_dynamodb_errors(f"creating tenant {tenant.tenant_id}"):
            try:
                self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
            except self._client.exceptions.ConditionalCheckFailedException as error:
                raise ConflictError(f"tenant {tenant.tenant_id} exists") from error

    def find(self, tenant_id: str) -> Tenant | None:
        with translate_dynamodb_errors("reading a tenant"):
            answer = self._table.get_item(Key=_tenant_key(tenant_id), ConsistentRead=True)
        return _tenant_from_item(answer["Item"]) if "Item" in answer else None

    def set_budget(self, tenant_id: str, daily_dollars: Decimal | None) -> Tenant:
        return self._set(tenant_id, "daily_dollars", daily_dollars)

    def set_rates(self, tenant_id: str, rates: RateLimits | None) -> Tenant:
        return self._set(tenant_id, "rates", rates.model_dump_json() if rates else None)

    def _set(self, tenant_id: str, limit: str, value: Decimal | str | None) -> Tenant:
        change: dict[str, Any] = {"UpdateExpression": "REMOVE #limit"}
        if value is not None:
            change = {
                "UpdateExpression": "SET #limit = :value",
                "ExpressionAttributeValues": {":value": value},
            }
        try:
            with translate_dynamodb_errors("setting a limit"):
                answer = self._table.update_item(
                    Key=_tenant_key(tenant_id),
                    ConditionExpression="attribute_exists(pk)",
                    ReturnValues="ALL_NEW",
                    ExpressionAttributeNames={"#limit": limit},
                    **change,
                )
        except ConflictError as error:
            raise NotFoundError(f"no tenant {tenant_id}") from error
        return _tenant_from_item(answer["Attributes"])

    def everyone(self) -> list[Tenant]:
        scan = self._client.get_paginator("scan")
        with translate_dynamodb_errors("listing tenants"):
            pages = scan.paginate(
                TableName=self._table.name,
                FilterExpression="begins_with(pk, :tenants) AND sk = :meta",
                ExpressionAttributeValues={":tenants": "T#", ":meta": "META"},
                ConsistentRead=True,
            )
            found = [_tenant_from_item(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda tenant: tenant.tenant_id)


def _tenant_key(tenant_id: str) -> dict[str, Any]:
    return {"pk": f"T#{tenant_id}", "sk": "META"}


def _tenant_from_item(item: Mapping[str, Any]) -> Tenant:
    return Tenant(
        tenant_id=item["pk"].removeprefix("T#"),
        name=item["name"],
        created_at=datetime.fromisoformat(item["created_at"]),
        daily_dollars=item.get("daily_dollars"),
        rates=RateLimits.model_validate_json(item["rates"]) if "rates" in item else None,
    )
