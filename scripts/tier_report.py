"""What a tenant keeps in which tier, month by month, and what a month of it costs.

The figures of `tier report`.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from membus.domain.cold import ArchiveObject

PRICES = json.loads((Path(__file__).parent / "cost" / "aws_prices.json").read_text(encoding="utf-8"))
NAMES = {
    "DYNAMODB": "dynamodb_storage",
    "STANDARD": "s3_standard",
    "INTELLIGENT_TIERING": "s3_intelligent_tiering",
    "GLACIER_IR": "s3_glacier_ir",
}
DOLLARS: Mapping[str, float] = {name: float(PRICES["prices"][key]["dollars"]) for name, key in NAMES.items()}
"""A gigabyte and month in each class.

INTELLIGENT_TIERING at its price for what nobody has read for a month.
"""
CLASSES = ((365, "GLACIER_IR"), (30, "INTELLIGENT_TIERING"), (0, "STANDARD"))
"""Storage classes by the age in days at which the archive module's lifecycle moves an object there."""
TIERS = ("DYNAMODB", *(name for _, name in reversed(CLASSES)))
HOT_BYTES = 1_100
"""What an episode of a sentence weighs in DynamoDB with its identity and index entries.

`make bench`, `archive`.
"""
TIERED_BYTES_MIN = 128 * 1024
"""Objects below stay in STANDARD: colder classes do not take them."""
GB = 10**9


@dataclass(frozen=True)
class TierMonth:
    """The end of a month: bytes by tier, and the episodes that they are.

    A hot copy beside a cold one is in both.
    """

    day: date
    stored: Counter[str]
    episodes: int

    @property
    def dollars(self) -> float:
        return sum(self.costs(name) for name in self.stored)

    @property
    def all_hot(self) -> float:
        """What the same episodes would cost a month if all of them had stayed in DynamoDB."""
        return self.episodes * HOT_BYTES * DOLLARS["DYNAMODB"] / GB

    def costs(self, tier: str) -> float:
        return DOLLARS[tier] * self.stored[tier] / GB


def list_months(objects: Sequence[ArchiveObject], *, today: date) -> list[TierMonth]:
    """Return what lay where at the end of every month since the first object's day, and today."""
    if not objects:
        return []
    ends = [*_ends(min(each.day for each in objects), today), today]
    return [_month([each for each in objects if each.day <= end], end) for end in ends]


def _ends(first: date, today: date) -> Iterator[date]:
    """Yield the last day of each month from `first` on that is over."""
    year, month = first.year, first.month
    while (next_month := date(year + month // 12, month % 12 + 1, 1)) <= today:
        yield next_month - timedelta(days=1)
        year, month = next_month.year, next_month.month


def _month(objects: Sequence[ArchiveObject], at: date) -> TierMonth:
    stored: Counter[str] = Counter()
    for each in objects:
        age = (at - each.day).days
        stored[_storage_class(age) if each.bytes >= TIERED_BYTES_MIN else "STANDARD"] += each.bytes
        if each.hot_until.date() > at:
            stored["DYNAMODB"] += each.rows * HOT_BYTES
    return TierMonth(at, stored, sum(each.rows for each in objects))


def _storage_class(age_days: int) -> str:
    return next(name for days, name in CLASSES if age_days >= days)
