"""Fixtures of the unit tests."""

import pytest

from tests.support.api_client import ApiTestClient


@pytest.fixture
def door() -> ApiTestClient:
    return ApiTestClient()
