"""Frames to clients through API Gateway's `@connections`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from membus.aws.clients import translate_aws_errors

GATEWAY = "the gateway of the sockets"


class _GoneError(Exception):
    """The connection is closed, or never was."""


class ApiGatewaySender:
    def __init__(self, client: Any) -> None:
        self._client = client

    def send_frame(self, connection_id: str, frame: bytes) -> bool:
        try:
            with translate_aws_errors(GATEWAY), self._noticing_gone():
                self._client.post_to_connection(ConnectionId=connection_id, Data=frame)
        except _GoneError:
            return False
        return True

    def close_connection(self, connection_id: str) -> None:
        try:
            with translate_aws_errors(GATEWAY), self._noticing_gone():
                self._client.delete_connection(ConnectionId=connection_id)
        except _GoneError:
            return

    @contextmanager
    def _noticing_gone(self) -> Iterator[None]:
        try:
            yield
        except self._client.exceptions.GoneException as error:
            raise _GoneError from error
