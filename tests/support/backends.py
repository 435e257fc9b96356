"""The three backends on which a store's contract holds.

Its fake, a strict AWS in this process, the deployed stack.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import boto3

from localstack import aws
from localstack.home import Stack
from membus.aws.s3 import S3Blobs
from tests.support.tables import BUCKET, make_bucket, make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Fake = TypeVar("Fake")
Adapter = TypeVar("Adapter")


class AwsBackend(Protocol):
    """The AWS that adapters are built on; tables have their logical names."""

    @property
    def bucket(self) -> str: ...

    def get_table(self, name: str) -> "Table": ...

    def get_blobs(self) -> S3Blobs: ...

    def make_client(self, service: str, **options: Any) -> Any: ...


@dataclass(frozen=True)
class StrictAws:
    """Answers from memory, where `strict_aws` is entered.

    Tables and bucket are made when they are asked for.
    """

    bucket: str = BUCKET
    _tables: "dict[str, Table]" = field(default_factory=dict)

    def get_table(self, name: str) -> "Table":
        if name not in self._tables:
            self._tables[name] = make_table(name)
        return self._tables[name]

    def get_blobs(self) -> S3Blobs:
        return make_bucket()

    def make_client(self, service: str, **options: Any) -> Any:
        make: Any = boto3.client
        return make(service, region_name="us-east-1", **options)


@dataclass(frozen=True)
class DeployedAws:
    """The deployed local stack: its tables and bucket are shared by all tests."""

    stack: Stack

    @property
    def bucket(self) -> str:
        return self.stack.bucket

    def get_table(self, name: str) -> "Table":
        tables = aws.session().resource("dynamodb", endpoint_url=self.stack.endpoint_url)
        return tables.Table(getattr(self.stack.tables, name))

    def get_blobs(self) -> S3Blobs:
        return S3Blobs(lambda: self.make_client("s3"), self.bucket)

    def make_client(self, service: str, **options: Any) -> Any:
        make: Any = aws.session().client
        return make(service, endpoint_url=self.stack.endpoint_url, **options)


@dataclass(frozen=True)
class OnEveryBackend:
    """Makes the store of a contract test: the fake, or the adapter over the AWS of this run of the test."""

    aws: AwsBackend | None

    def __call__(self, fake: Callable[[], Fake], adapter: Callable[[AwsBackend], Adapter]) -> Fake | Adapter:
        return fake() if self.aws is None else adapter(self.aws)
