"""Authorization: the stored key of a presented credential, or a refusal with its reason."""

from collections.abc import Mapping
from datetime import datetime

from membus.core.errors import UnauthorizedError
from membus.tenants.api_keys import ApiKey, ApiKeyStore, Credential, verify_key

SUBPROTOCOL = "bearer."
"""The subprotocol that holds the key: a browser can name subprotocols of a socket but set no headers."""


def read_credential(context: Mapping[str, object], headers: Mapping[str, str]) -> str:
    """Return the `Authorization` of a request, or for a new socket without one the key in its subprotocols.

    Only for a new socket: the gateway caches the answers to other requests by their Authorization header.
    """
    header = headers.get("authorization", "")
    if header or context.get("eventType") != "CONNECT":
        return header
    offered = (each.strip() for each in headers.get("sec-websocket-protocol", "").split(","))
    return next(
        (f"Bearer {each.removeprefix(SUBPROTOCOL)}" for each in offered if each.startswith(SUBPROTOCOL)), ""
    )


def authenticate(authorization: str, *, environment: str, keys: ApiKeyStore, now: datetime) -> ApiKey:
    """Return the key of an `Authorization` header; raises UnauthorizedError with the reason.

    A malformed key, or one of another environment, is refused before the store is read.
    """
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthorizedError("no bearer credential")
    credential = Credential.parse(text.strip())
    if credential.environment != environment:
        raise UnauthorizedError("key of another environment")
    return verify_key(credential, keys.find_key(credential.key_id), now=now)
