"""Lists the users of a tenant in one store, for an operator's command: it may read the store once through."""

from typing import Protocol


class UserDirectory(Protocol):
    def list_users(self, tenant: str) -> list[str]:
        """Return the users of whom the store has something, in order.

        Raises:
            UnavailableError: the store does not answer.
        """
