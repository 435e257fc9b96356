"""Who there is: everybody a tenant keeps something for, as one store tells it."""

from typing import Protocol


class UserDirectory(Protocol):
    """For an operator's command alone: it may read a store once through."""

    def of(self, tenant: str) -> list[str]:
        """Return everybody the store holds something of, in order.

        UnavailableError where it does not answer.
        """
