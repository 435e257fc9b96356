"""Fixtures of the unit tests."""

import pytest

from tests.support.api_client import ApiTestClient


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> ApiTestClient:
    return ApiTestClient().open(monkeypatch)
