"""IAM in the local stack: the role of a function allows what its grants say, and no more."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localstack import aws
from localstack.home import Stack

ITEM = {"pk": {"S": "T#demo#U#someone"}, "sk": {"S": "FACT#name"}}


@pytest.fixture(scope="session")
def as_role(stack: Stack) -> Callable[[str], Any]:
    """Return a DynamoDB client with the role of a function."""

    def client(function: str) -> Any:
        functions = aws.session().client("lambda", endpoint_url=stack.endpoint_url)
        role = functions.get_function(FunctionName=f"membus-local-{function}")["Configuration"]["Role"]
        taken = _assume(role, stack)
        return taken.client("dynamodb", endpoint_url=stack.endpoint_url)

    return client


def _assume(role: str, stack: Stack) -> boto3.Session:
    operator = aws.session().client("sts", endpoint_url=stack.endpoint_url)
    credentials = operator.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=aws.REGION,
    )


def test_chat_may_read_facts_and_not_write_them(stack: Stack, as_role: Callable[[str], Any]) -> None:
    chat = as_role("chat")

    chat.get_item(TableName=stack.tables.memory, Key=ITEM)
    with pytest.raises(ClientError, match="AccessDenied"):
        chat.put_item(TableName=stack.tables.memory, Item=ITEM)


def test_authorize_sees_no_user_data(stack: Stack, as_role: Callable[[str], Any]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role("authorize").get_item(TableName=stack.tables.memory, Key=ITEM)


def test_unknown_credentials_are_refused(stack: Stack) -> None:
    stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "a-secret", region_name=aws.REGION)

    with pytest.raises(ClientError, match="security token"):
        stranger.client("dynamodb", endpoint_url=stack.endpoint_url).list_tables()
