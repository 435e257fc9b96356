"""A deployment of stores in memory, for the operators' commands."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from membus.tenants.model import Tenant
from scripts.cli import main
from scripts.target import Target
from tests.fakes.api_keys import InMemoryApiKeys
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.settings import InMemorySettings
from tests.fakes.tenants import InMemoryTenants
from tests.fakes.usage import InMemoryUsageLedger

NOW = datetime.now(UTC)
Run = Callable[..., int]


def a_tenant(tenant_id: str = "acme", name: str = "Acme Ltd") -> Tenant:
    return Tenant(tenant_id, name, NOW)


def a_target(*tenants: Tenant, **stores: Any) -> Target:
    """Return a target with these tenants; `stores` replaces what is empty, and the environment."""
    empty: dict[str, Any] = {
        "environment": "dev",
        "tenants": InMemoryTenants(*tenants),
        "keys": InMemoryApiKeys(),
        "conversations": InMemoryConversations(StoppedClock()),
        "usage": InMemoryUsageLedger(),
        "settings": InMemorySettings(),
    }
    return Target(**empty | stores)


def run_on(target: Target) -> Run:
    """Return what runs a command line on the target and returns its exit code."""
    return lambda *words: main([str(word) for word in words], open_target=lambda _: target)
