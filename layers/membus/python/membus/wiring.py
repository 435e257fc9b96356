"""The composition root: reads the environment once, lazily, and names the variable that is missing."""

import json
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from membus.ports.api_keys import ApiKeys


def _env(name: str, default: str | None = None) -> str:
    """Return the variable `name`; an unset or empty one without a default is a deployment error, said by name."""
    value = os.environ.get(name) or default
    if value is None:
        raise RuntimeError(f"the environment variable {name} is not set")
    return value


def environment() -> str:
    return _env("ENVIRONMENT")


@cache
def api_keys() -> "ApiKeys":
    """The authorizer has five seconds in all, so it tries twice and briefly, then fails closed."""
    from membus.adapters.aws import table
    from membus.adapters.dynamo_api_keys import DynamoApiKeys

    return DynamoApiKeys(table(_env("TENANTS_TABLE"), attempts=2, read_timeout_seconds=1))


@cache
def route_scopes() -> "Mapping[str, str]":
    """Return the scope each route asks for, as Terraform read it from the OpenAPI document."""
    scopes: dict[str, str] = json.loads(_env("ROUTE_SCOPES"))
    return scopes
