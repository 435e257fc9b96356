"""What one tenant sends beyond its share is read from a queue of its own, so that nobody waits behind it (ADR 40)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from functions.extract.api import QueueMessage
from membus.domain.rates import RateLimit
from membus.ports.clock import Clock
from membus.ports.events import OverflowQueue

QUOTA_TENANTS_MAX = 10_000


class TenantQuotas:
    """How much of each tenant this environment still reads at once.

    It counts for itself, no store is asked.
    """

    def __init__(self, share: RateLimit, clock: Clock) -> None:
        self._share, self._clock = share, clock
        self._until_us: dict[str, int] = {}

    def take(self, tenant: str) -> bool:
        """Return whether one more event of the tenant is within its share."""
        now_us = int(self._clock().timestamp() * 1_000_000)
        until_us = self._until_us.get(tenant, 0)
        if self._share.wait_seconds(1, until_us=until_us, now_us=now_us):
            return False
        if len(self._until_us) >= QUOTA_TENANTS_MAX:
            self._until_us.clear()
        self._until_us[tenant] = self._share.taken_us(1, until_us=until_us, now_us=now_us)
        return True


def split_overflow(
    messages: Sequence[QueueMessage],
    *,
    shares: TenantQuotas,
    surplus: OverflowQueue,
    tell: Callable[[Mapping[str, int], int], None],
) -> list[QueueMessage]:
    """Return the messages to read now; the surplus queue holds the others before this one lets go of them.

    What it does not take is read now. `tell` hears how many of each tenant it took, and how many it did not.
    """
    beyond = [
        message for message in messages if message.tenant is not None and not shares.take(message.tenant)
    ]
    if not beyond:
        return list(messages)
    taken = beyond[: surplus.add([(message.body, message.tenant or "") for message in beyond])]
    tell(Counter(message.tenant or "" for message in taken), len(beyond) - len(taken))
    gone = {message.message_id for message in taken}
    return [message for message in messages if message.message_id not in gone]
