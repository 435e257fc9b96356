"""What authorize does: a presented credential becomes the stored key it opens, or is refused."""

from datetime import datetime

from membus.domain.api_key import ApiKey, Credential, verified
from membus.errors import UnauthorizedError
from membus.ports.api_keys import ApiKeys


def authenticate(authorization: str, *, environment: str, keys: ApiKeys, now: datetime) -> ApiKey:
    """Return the key behind an `Authorization` header, or raise UnauthorizedError with the reason.

    What is no key, or a key of another environment, is refused before the store is asked.
    """
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthorizedError("no bearer credential")
    credential = Credential.parse(text.strip())
    if credential.environment != environment:
        raise UnauthorizedError("key of another environment")
    return verified(credential, keys.find(credential.key_id), now=now)
