"""What authorize does: a presented credential becomes the stored key it opens, or is refused."""

from collections.abc import Mapping
from datetime import datetime

from membus.core.errors import UnauthorizedError
from membus.tenants.api_keys import ApiKey, ApiKeyStore, Credential, verify_key

SUBPROTOCOL = "bearer."
"""A browser cannot set headers on a socket, but it names subprotocols.

`membus.v1` and this with the key behind it.
"""


def read_credential(context: Mapping[str, object], headers: Mapping[str, str]) -> str:
    """Return the `Authorization` of a request; for a new socket without one, the key among its subprotocols.

    For a new socket alone: the gateway remembers its answers to other requests by their Authorization header.
    """
    header = headers.get("authorization", "")
    if header or context.get("eventType") != "CONNECT":
        return header
    offered = (each.strip() for each in headers.get("sec-websocket-protocol", "").split(","))
    return next(
        (f"Bearer {each.removeprefix(SUBPROTOCOL)}" for each in offered if each.startswith(SUBPROTOCOL)), ""
    )


def authenticate(authorization: str, *, environment: str, keys: ApiKeyStore, now: datetime) -> ApiKey:
    """Return the key behind an `Authorization` header, or raise UnauthorizedError with the reason.

    What is no key, or a key of another environment, is refused before the store is asked.
    """
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthorizedError("no bearer credential")
    credential = Credential.parse(text.strip())
    if credential.environment != environment:
        raise UnauthorizedError("key of another environment")
    return verify_key(credential, keys.find_key(credential.key_id), now=now)
