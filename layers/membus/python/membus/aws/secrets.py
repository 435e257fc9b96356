"""KMS, whose key signs cursors and never leaves it, and Secrets Manager, which keeps logins as JSON."""

import json
from typing import TYPE_CHECKING

from membus.aws.clients import aws_client, translate_aws_errors
from membus.core.identity import DatabaseLogin

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsCursorSigner:
    """Signs with an HMAC key of KMS: there is no secret to store, to rotate or to leak."""

    def __init__(self, client: "KMSClient", key_id: str) -> None:
        self._client, self._key_id = client, key_id

    def sign_message(self, message: bytes) -> bytes:
        with translate_aws_errors("cursor key"):
            return self._client.generate_mac(
                KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=message
            )["Mac"]


def read_login(secret_id: str) -> DatabaseLogin:
    """Return the login in a secret `{"username", "password"}`; UnavailableError where it cannot be read."""
    with translate_aws_errors(f"the secret {secret_id}"):
        secret = json.loads(aws_client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"])
    return DatabaseLogin(username=secret["username"], password=secret["password"])
