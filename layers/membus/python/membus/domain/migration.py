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
class SchemaInspection:
    """The schema as it stands.

    Who is walled in by row security, what the functions' role could do, what was applied.

    `walled` and `unwalled` are tables that hold a tenant's rows, `powers` says in words what the role should
    not be able to do, `applied` is the checksum of each migration by its name.
    """

    walled: list[str]
    unwalled: list[str]
    powers: list[str]
    applied: dict[str, str]


@dataclass(frozen=True)
class DatabaseLogin:
    username: str
    password: str = field(repr=False)
