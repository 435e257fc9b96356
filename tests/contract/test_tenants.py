"""The port TenantStore, on the fake and on DynamoDB."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from membus.core.errors import ConflictError, InvalidError, NotFoundError
from membus.tenants.api_keys import ApiKey
from membus.tenants.dynamodb import DynamoTenants
from membus.tenants.dynamodb_api_keys import DynamoApiKeys
from membus.tenants.model import RateLimits, Tenant
from membus.tenants.ports import TenantStore
from tests.contract.tenants_table import tenants_table
from tests.fakes.tenants import InMemoryTenants

NOW = datetime.now(UTC)


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[TenantStore]:
    if request.param == "fake":
        yield InMemoryTenants()
    else:
        with tenants_table() as table:
            yield DynamoTenants(table)


def test_a_tenant_is_found_as_it_was_added(store: TenantStore) -> None:
    store.add_tenant(tenant := Tenant("acme", "Acme Ltd", NOW))

    assert store.find_tenant("acme") == tenant
    assert store.find_tenant("acm") is None


def test_an_existing_tenant_is_not_overwritten(store: TenantStore) -> None:
    store.add_tenant(tenant := Tenant("acme", "Acme Ltd", NOW))

    with pytest.raises(ConflictError):
        store.add_tenant(Tenant("acme", "Somebody else", NOW))

    assert store.find_tenant("acme") == tenant


def test_a_budget_is_set_changed_and_lifted(store: TenantStore) -> None:
    store.add_tenant(Tenant("acme", "Acme Ltd", NOW))

    assert store.set_budget("acme", Decimal("2.50")).daily_dollars == Decimal("2.50")
    assert store.find_tenant("acme") == Tenant("acme", "Acme Ltd", NOW, Decimal("2.50"))
    assert store.set_budget("acme", None) == store.find_tenant("acme") == Tenant("acme", "Acme Ltd", NOW)


def test_rates_are_set_beside_a_budget_and_lifted(store: TenantStore) -> None:
    store.add_tenant(Tenant("acme", "Acme Ltd", NOW, Decimal(2)))
    rates = RateLimits(requests_per_second=0.5, events_per_second=200)

    assert (
        store.set_rates("acme", rates)
        == store.find_tenant("acme")
        == Tenant("acme", "Acme Ltd", NOW, Decimal(2), rates)
    )
    assert (
        store.set_rates("acme", None)
        == store.find_tenant("acme")
        == Tenant("acme", "Acme Ltd", NOW, Decimal(2))
    )
    with pytest.raises(NotFoundError):
        store.set_rates("zeta", rates)


def test_a_tenant_is_added_with_its_budget(store: TenantStore) -> None:
    store.add_tenant(tenant := Tenant("acme", "Acme Ltd", NOW, Decimal(0)))

    assert store.find_tenant("acme") == tenant


def test_missing_tenant_gets_no_budget(store: TenantStore) -> None:
    with pytest.raises(NotFoundError):
        store.set_budget("acme", Decimal(1))

    assert store.list_tenants() == []


@pytest.mark.parametrize("dollars", ["-1", "NaN", "Infinity"])
def test_a_budget_is_a_number_of_dollars(dollars: str) -> None:
    with pytest.raises(InvalidError):
        Tenant("acme", "Acme Ltd", NOW, Decimal(dollars))


def test_tenants_are_listed_by_id(store: TenantStore) -> None:
    for tenant_id in ("zeta", "acme"):
        store.add_tenant(Tenant(tenant_id, tenant_id, NOW))

    assert [tenant.tenant_id for tenant in store.list_tenants()] == ["acme", "zeta"]


def test_api_keys_in_the_table_are_not_listed_as_tenants() -> None:
    with tenants_table() as table:
        tenants = DynamoTenants(table)
        tenants.add_tenant(tenant := Tenant("acme", "Acme Ltd", NOW))
        DynamoApiKeys(table).add_key(ApiKey("k1", "acme", "web", (), "0" * 64, NOW))

        assert tenants.list_tenants() == [tenant]


@pytest.mark.parametrize(
    "tenant_id", ["", "a#b", "a/b", "..", "Acme", "-a", "a-", "a b", "a" * 64, "é", "a\n"]
)
def test_an_id_that_could_forge_a_key_or_leave_a_folder_is_refused(tenant_id: str) -> None:
    with pytest.raises(InvalidError):
        Tenant(tenant_id, "x", NOW)
