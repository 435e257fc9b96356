"""`stack.json`: what a client, a test or a demo must know of a running stack."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel

from localstack.home import write_private


class Tables(BaseModel, frozen=True):
    memory: str
    conversations: str
    tenants: str
    idempotency: str


class Stack(BaseModel, frozen=True):
    """`api_url` takes `/v1/…` appended; `postgres_dsn` is the functions' role."""

    endpoint_url: str
    api_url: str
    ws_url: str
    bus_name: str
    tenant_id: str
    api_key: str
    tables: Tables
    bucket: str
    postgres_dsn: str
    redis_url: str
    model_url: str

    @classmethod
    def read(cls, file: Path) -> Self:
        return cls.model_validate_json(file.read_text())

    def write(self, file: Path) -> None:
        write_private(file, self.model_dump_json(indent=2) + "\n")  # it holds a key and a password
