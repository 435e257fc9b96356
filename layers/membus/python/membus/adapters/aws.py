"""The one factory of AWS clients: explicit timeouts and retries, one client per process and purpose."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from membus.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@cache
def client(service: str, *, attempts: int = 3, read_timeout_seconds: float = 3) -> Any:
    """Return the process's client of `service`; endpoint, region and credentials are the environment's."""
    make: Any = Session().client  # a session of its own: sessions are not safe to share between threads
    return make(service, config=_config(attempts, read_timeout_seconds))


@cache
def table(name: str, *, attempts: int = 3, read_timeout_seconds: float = 3) -> "Table":
    """Return the process's handle of the DynamoDB table `name`."""
    return Session().resource("dynamodb", config=_config(attempts, read_timeout_seconds)).Table(name)


@contextmanager
def translated(part: str) -> Iterator[None]:
    """Turn what AWS or the network refuses inside the block into UnavailableError, naming `part` and the reason."""
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
