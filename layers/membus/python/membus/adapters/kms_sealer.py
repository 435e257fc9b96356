"""Seals made by an HMAC key that never leaves KMS: there is no secret to store, rotate or leak."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from membus.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsSealer:
    def __init__(self, client: "KMSClient", key_id: str) -> None:
        self._client, self._key_id = client, key_id

    def seal(self, message: bytes) -> bytes:
        try:
            return self._client.generate_mac(KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=message)["Mac"]
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError("the key that seals cursors cannot be used") from error
