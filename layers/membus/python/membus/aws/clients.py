"""The one factory of AWS clients: explicit timeouts and retries, one client per process and purpose."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader
from botocore.session import Session as CoreSession

from membus.core.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table

_SIGNATURES = {"s3": Config(signature_version="s3v4")}
"""By default botocore signs links to S3 by version 2, which S3 refuses for objects under a KMS key."""


@cache
def aws_client(
    service: str, *, attempts: int = 3, read_timeout_seconds: float = 3, endpoint_url: str | None = None
) -> Any:
    """Return the process's client of `service`; region, endpoint and credentials are the environment's."""
    make: Any = _session().client
    config = _config(attempts, read_timeout_seconds).merge(_SIGNATURES.get(service, Config()))
    return make(service, config=config, endpoint_url=endpoint_url)


def dynamodb_table(name: str, *, attempts: int = 3, read_timeout_seconds: float = 3) -> "Table":
    """Return the DynamoDB table `name`; all tables of one purpose share connections."""
    return _dynamodb(attempts, read_timeout_seconds).Table(name)


def forget_clients() -> None:
    """Drop all clients: the process has changed its environment."""
    aws_client.cache_clear()
    _dynamodb.cache_clear()


@contextmanager
def translate_aws_errors(part: str) -> Iterator[None]:
    """Raise errors of AWS and of the network as UnavailableError, with `part` and the reason."""
    try:
        yield
    except ClientError as error:
        raise UnavailableError(f"{part}: {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise UnavailableError(f"{part}: {type(error).__name__}") from error


def _config(attempts: int, read_timeout_seconds: float) -> Config:
    return Config(
        connect_timeout=1,
        read_timeout=read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


@cache
def _dynamodb(attempts: int, read_timeout_seconds: float) -> "DynamoDBServiceResource":
    return _session().resource("dynamodb", config=_config(attempts, read_timeout_seconds))


def _session() -> Session:
    """Return a session of its own, which threads must not share.

    All sessions share the service models, whose reading is half of the cost of a client.
    """
    core = CoreSession()
    core.register_component("data_loader", _models())
    return Session(botocore_session=core)


@cache
def _models() -> Loader:
    return create_loader()
