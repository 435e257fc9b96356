"""The answer to API Gateway: allow the whole API, deny each route whose scope the key lacks.

The gateway caches one answer for all routes, keyed by the credential alone; it must therefore
depend on nothing but the key, never on the route that happened to be asked for first.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from membus.tenants.api_keys import ANY_SCOPE, ApiKey

_PARAMETER = re.compile(r"\{[^}]+\}")


def build_policy(key: ApiKey, *, arn: str, route_scopes: Mapping[str, str]) -> dict[str, Any]:
    """Return the policy; `arn` is the requested route, scopes are by route (`GET /v1/things/{id}`)."""
    stage = "/".join(arn.split("/")[:2])
    statements = [_statement("Allow", [f"{stage}/*"])]
    if denied := [f"{stage}/{path}" for path in _denied_paths(route_scopes, {ANY_SCOPE, *key.scopes})]:
        statements.append(_statement("Deny", denied))
    return {
        "principalId": key.key_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": statements},
        "context": {"tenant_id": key.tenant_id, "key_id": key.key_id, "scopes": " ".join(key.scopes)},
    }


def _denied_paths(route_scopes: Mapping[str, str], held: set[str]) -> Iterator[str]:
    """Yield the path of each route that the key may not call.

    A wildcard also matches `/`. Where it would deny a permitted route, only the handler checks the scope.
    """
    permitted = [_path(route) for route, scope in route_scopes.items() if scope in held]
    for route, scope in route_scopes.items():
        pattern = _PARAMETER.sub("*", _path(route))
        if scope not in held and not any(fnmatchcase(path, pattern) for path in permitted):
            yield pattern


def _path(route: str) -> str:
    return route.replace(" /", "/", 1)


def _statement(effect: str, resources: list[str]) -> dict[str, Any]:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}
