"""The local model server in this process, and the real clients that call it over HTTP."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from anthropic import Anthropic, AnthropicBedrock
from botocore.config import Config

from tests.support.model_server import model_server


@pytest.fixture(scope="session")
def model_url() -> Iterator[str]:
    with model_server() as url:
        yield url


@pytest.fixture
def anthropic(model_url: str) -> Iterator[Anthropic]:
    """Return a client with a key, and so a prompt cache, of the test's own."""
    with Anthropic(api_key=uuid4().hex, base_url=model_url, max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def bedrock(model_url: str) -> Iterator[AnthropicBedrock]:
    key = uuid4().hex
    with AnthropicBedrock(
        aws_access_key=key,
        aws_secret_key=key,
        aws_region="us-east-1",
        base_url=model_url,
        max_retries=0,
        timeout=10,
    ) as client:
        yield client


@pytest.fixture
def runtime(model_url: str) -> Iterator[Any]:
    client: Any = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=model_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()
