"""Where API keys are kept."""

from datetime import datetime
from typing import Protocol

from membus.domain.api_key import ApiKey


class ApiKeyStore(Protocol):
    """Raises UnavailableError when the store does not answer; a caller must then refuse."""

    def find(self, key_id: str) -> ApiKey | None:
        """Return the key whatever its status, as of the last write."""

    def add(self, key: ApiKey) -> None:
        """Raise ConflictError where the key id is taken."""

    def of(self, tenant_id: str) -> list[ApiKey]:
        """Return the tenant's keys, oldest first."""

    def revoke(self, key_id: str, *, at: datetime) -> ApiKey:
        """Return the revoked key; revoking twice keeps the first moment.

        Raise NotFoundError for an unknown key.
        """
