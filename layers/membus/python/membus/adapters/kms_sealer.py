"""Seals made by an HMAC key that never leaves KMS: there is no secret to store, rotate or leak."""

from typing import TYPE_CHECKING

from membus.adapters.aws import translate_aws_errors

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsCursorSigner:
    def __init__(self, client: "KMSClient", key_id: str) -> None:
        self._client, self._key_id = client, key_id

    def seal(self, message: bytes) -> bytes:
        with translate_aws_errors("cursor key"):
            return self._client.generate_mac(
                KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=message
            )["Mac"]
