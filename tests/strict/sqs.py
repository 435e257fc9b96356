"""SQS's limit on a message: the queues of membus are made with 256 KB, body and attributes together."""

from typing import Any

from tests.strict.refusal import Refusal

MESSAGE_BYTES_MAX = 262_144


class QueueLimits:
    def check(self, operation: str, body: dict[str, Any]) -> None:
        """Refuse a message that is too large with its attributes: their names, types and values count."""
        if operation == "SendMessage" and _message_bytes(body) > MESSAGE_BYTES_MAX:
            reason = f"Message must be shorter than {MESSAGE_BYTES_MAX} bytes."
            raise Refusal("InvalidParameterValue", f"One or more parameters are invalid. Reason: {reason}")


def _message_bytes(body: dict[str, Any]) -> int:
    attributes = body.get("MessageAttributes", {}).items()
    texts = [text for name, each in attributes for text in (name, each["DataType"], each["StringValue"])]
    return sum(len(text.encode()) for text in [body["MessageBody"], *texts])
