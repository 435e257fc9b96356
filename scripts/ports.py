"""Who there is: everybody a tenant keeps something for, as one store tells it.

A user's facts, made anew from what their events teach.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from membus.core.identity import Owner
from membus.facts.observation import Observation


class UserDirectory(Protocol):
    """For an operator's command alone: it may read a store once through."""

    def list_users(self, tenant: str) -> list[str]:
        """Return everybody the store holds something of, in order.

        UnavailableError where it does not answer.
        """


class FactRebuilder(Protocol):
    def rebuild_facts(
        self, owner: Owner, wanted: Callable[[Sequence[Observation]], list[Observation]]
    ) -> int:
        """Make the user's observations what `wanted` makes of the stored ones.

        Return how many items were written.

        Whoever learns meanwhile is not overwritten: `wanted` is asked again. A rebuild that stops half-way
        leaves every key either old or new, and is finished by another.

        Raises:
            ConflictError: others kept writing.
        """
