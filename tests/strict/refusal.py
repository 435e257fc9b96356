"""What AWS says when it refuses a whole call."""

from typing import Any


class Refusal(Exception):  # noqa: N818 (it is an answer, not a fault of this process)
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.parsed: dict[str, Any] = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RetryAttempts": 0},
        }


def invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
