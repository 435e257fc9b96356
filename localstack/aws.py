"""The emulated AWS account as its root user sees it: credentials, sessions and secrets."""

import json
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "us-east-1"
# MiniStack knows these as the account's root; LocalStack accepts any.
ROOT_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
}


def session() -> boto3.Session:
    return boto3.Session(
        ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )


def put_secret(secret_id: str, value: str, endpoint_url: str) -> None:
    _secrets(endpoint_url).put_secret_value(SecretId=secret_id, SecretString=value)


def read_login(secret_id: str, endpoint_url: str) -> dict[str, str]:
    """Return `username` and `password` of a Postgres login."""
    secret = _secrets(endpoint_url).get_secret_value(SecretId=secret_id)["SecretString"]
    login: dict[str, str] = json.loads(secret)
    return login


def _secrets(endpoint_url: str) -> "SecretsManagerClient":
    return session().client("secretsmanager", endpoint_url=endpoint_url)
