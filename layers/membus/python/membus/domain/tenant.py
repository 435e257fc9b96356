"""Tenants: who membus keeps memory for."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from membus.domain.rates import RateLimits
from membus.errors import InvalidError

RESERVED_TENANT_IDS = frozenset({"spill", "exports"})
"""Folders of the archive bucket that stand where a tenant's would."""
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Tenant:
    """A tenant's id is a segment of every key and object name, so it is a plain lower-case label.

    `daily_dollars` is what its model calls may cost a day, UTC; None sets no limit. `rates` are its own, None
    those of the environment.
    """

    tenant_id: str
    name: str
    created_at: datetime
    daily_dollars: Decimal | None = None
    rates: RateLimits | None = None

    def __post_init__(self) -> None:
        if self.tenant_id in RESERVED_TENANT_IDS:
            raise InvalidError(f"'{self.tenant_id}' is a folder of the archive and cannot be a tenant id")
        if not _ID.fullmatch(self.tenant_id):
            raise InvalidError(
                f"'{self.tenant_id}' cannot be a tenant id: use 1 to 63 of a-z, 0-9 and -, no - at either end"
            )
        if self.daily_dollars is not None and not (
            self.daily_dollars.is_finite() and self.daily_dollars >= 0
        ):
            raise InvalidError("a budget is a number of dollars, 0 or more")
