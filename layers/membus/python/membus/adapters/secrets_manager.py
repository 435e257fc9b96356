"""Secrets Manager: logins kept as JSON `{"username", "password"}`."""

import json

from membus.adapters.aws import client, translated
from membus.domain.migration import Login


def login(secret_id: str) -> Login:
    with translated(f"the secret {secret_id}"):
        secret = json.loads(client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"])
    return Login(username=secret["username"], password=secret["password"])
