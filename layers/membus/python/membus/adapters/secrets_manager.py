"""Secrets Manager: logins kept as JSON `{"username", "password"}`."""

import json

from membus.adapters.aws import aws_client, translate_aws_errors
from membus.domain.migration import DatabaseLogin


def read_login(secret_id: str) -> DatabaseLogin:
    with translate_aws_errors(f"the secret {secret_id}"):
        secret = json.loads(aws_client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"])
    return DatabaseLogin(username=secret["username"], password=secret["password"])
