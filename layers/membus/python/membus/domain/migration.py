"""A step of the Postgres schema, and who logs in to it."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Migration:
    """An SQL file that is applied once and never changes afterwards."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class Login:
    username: str
    password: str = field(repr=False)
