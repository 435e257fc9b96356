"""Lets a person in: a tenant and an API key with every scope."""

from contextlib import suppress

from localstack import aws
from membus.adapters.dynamo_api_keys import DynamoApiKeys
from membus.adapters.dynamo_tenants import DynamoTenants
from membus.domain.api_key import ApiScope
from membus.errors import ConflictError
from scripts.keys import create_key
from scripts.tenants import create_tenant

TENANT = "demo"


def create_demo_tenant(table_name: str, endpoint_url: str) -> str:
    """Return a new API key of the tenant `demo`, which is made where it does not exist."""
    table = aws.session().resource("dynamodb", endpoint_url=endpoint_url).Table(table_name)
    tenants = DynamoTenants(table)
    with suppress(ConflictError):
        create_tenant(TENANT, store=tenants, name="Demo")
    return create_key(
        TENANT,
        environment="local",
        tenants=tenants,
        keys=DynamoApiKeys(table),
        scopes=tuple(ApiScope),
        name="made by the local stack",
    )
