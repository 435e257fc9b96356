"""Fixtures of the unit tests."""

import pytest

from tests.door import Door


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door().open(monkeypatch)
