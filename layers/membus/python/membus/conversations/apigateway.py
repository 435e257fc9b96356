"""Frames to clients through API Gateway's `@connections`."""

from contextlib import suppress
from typing import Any

from membus.aws.clients import translate_aws_errors

GATEWAY = "the gateway of the sockets"


class ApiGatewaySender:
    def __init__(self, client: Any) -> None:
        self._client, self._gone = client, client.exceptions.GoneException

    def send_frame(self, connection_id: str, frame: bytes) -> bool:
        with translate_aws_errors(GATEWAY), suppress(self._gone):
            self._client.post_to_connection(ConnectionId=connection_id, Data=frame)
            return True
        return False

    def close_connection(self, connection_id: str) -> None:
        with translate_aws_errors(GATEWAY), suppress(self._gone):
            self._client.delete_connection(ConnectionId=connection_id)
