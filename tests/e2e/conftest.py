"""Two tenants with keys of their own, and the operator's view of the deployed stack."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from localstack.aws import ROOT_CREDENTIALS
from localstack.home import Stack
from membus.tenants.api_keys import ApiScope
from membus.tenants.dynamodb import DynamoTenants
from membus.tenants.dynamodb_api_keys import DynamoApiKeys
from membus.tenants.provisioning import EVERYDAY_SCOPES, create_key, create_tenant
from tests.e2e.client import Client

NewKey = Callable[..., str]


@pytest.fixture(scope="session")
def session(stack: Stack) -> boto3.Session:  # noqa: ARG001 - the session is the stack's operator
    return boto3.Session(
        ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=ROOT_CREDENTIALS["AWS_DEFAULT_REGION"],
    )


@pytest.fixture(scope="session")
def aws(stack: Stack, session: boto3.Session) -> Callable[[str], Any]:
    """Return clients of the emulated account, as its operator."""

    def client(service: str) -> Any:
        make: Any = session.client
        return make(service, endpoint_url=stack.endpoint_url)

    return client


@pytest.fixture(scope="session")
def new_key(stack: Stack, session: boto3.Session) -> NewKey:
    """Return a function that makes a tenant's key the way the operators' command does."""
    table = session.resource("dynamodb", endpoint_url=stack.endpoint_url).Table(stack.tables.tenants)
    tenants, keys = DynamoTenants(table), DynamoApiKeys(table)

    def make(
        tenant: str, *, scopes: tuple[ApiScope, ...] = EVERYDAY_SCOPES, expires_in: timedelta | None = None
    ) -> str:
        if tenants.find_tenant(tenant) is None:
            create_tenant(tenant, store=tenants)
        return create_key(
            tenant, environment="local", tenants=tenants, keys=keys, scopes=scopes, expires_in=expires_in
        )

    return make


@pytest.fixture(scope="session")
def acme(stack: Stack, new_key: NewKey) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(f"acme-{uuid4().hex[:8]}"))
    yield client
    client.close()


@pytest.fixture(scope="session")
def zeta(stack: Stack, new_key: NewKey) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(f"zeta-{uuid4().hex[:8]}"))
    yield client
    client.close()
