"""The port SettingsStore, on the fake and on DynamoDB, and how long a reader keeps what it has read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from membus.core.errors import ConflictError, NotFoundError
from membus.tenants.dynamodb_settings import CACHE_SECONDS, CachedSettings, DynamoSettings
from membus.tenants.settings import ExtractionSettings, MemorySettings, SettingsStore, VersionedSettings
from tests.contract.tenants_table import tenants_table
from tests.fakes.settings import InMemorySettings

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLANTS = MemorySettings(extraction=ExtractionSettings(instructions="Keep plants.", never=("health",)))


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[SettingsStore]:
    if request.param == "fake":
        yield InMemorySettings()
    else:
        with tenants_table() as table:
            yield DynamoSettings(table)


def version(number: int, settings: MemorySettings = PLANTS) -> VersionedSettings:
    return VersionedSettings(version=number, changed_at=NOW, settings=settings)


def test_nothing_is_set_until_somebody_does(store: SettingsStore) -> None:
    assert store.get_settings("acme") == VersionedSettings()


def test_each_change_is_a_version_and_of_its_tenant_alone(store: SettingsStore) -> None:
    store.save_settings("acme", version(1))
    store.save_settings("acme", version(2, MemorySettings(memory_scope="user")))

    assert store.get_settings("acme").settings.memory_scope == "user"
    assert store.get_settings_version("acme", 1) == version(1)
    assert store.get_settings("zeta") == VersionedSettings()


@pytest.mark.parametrize("number", [1, 3])
def test_a_change_of_another_version_is_refused_whole(store: SettingsStore, number: int) -> None:
    store.save_settings("acme", version(1))

    with pytest.raises(ConflictError):
        store.save_settings("acme", version(number, MemorySettings(memory_scope="user")))

    assert store.get_settings("acme") == version(1)
    with pytest.raises(NotFoundError):
        store.get_settings_version("acme", 3)


def test_a_reader_hears_of_a_change_half_a_minute_later() -> None:
    store, now = InMemorySettings(), [NOW]
    reader = CachedSettings(store, lambda: now[0])
    assert reader.get_settings("acme").version == 0
    store.save_settings("acme", version(1))

    now[0] += timedelta(seconds=CACHE_SECONDS - 1)
    before = reader.get_settings("acme").version
    now[0] += timedelta(seconds=1)

    assert (before, reader.get_settings("acme").version) == (0, 1)
