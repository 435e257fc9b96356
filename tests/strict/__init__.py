"""AWS in this process, as strict as the real one: moto, and before it the limits that emulators wave through.

FIELD.md part E lists what moto and MiniStack wrongly accept; `tests/contract/test_strict.py` shows each one
refused.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS
from moto import mock_aws

from tests.strict.dynamodb import DynamoLimits
from tests.strict.eventbridge import EventLimits
from tests.strict.refusal import Refusal
from tests.strict.sqs import QueueLimits
from tests.strict.uploads import UploadLimits, upload_of

Answer = tuple[AWSResponse, dict[str, Any]]


class _Guard:
    """What every botocore session of this process asks before and after a call.

    Without limits it lets all pass.
    """

    def __init__(self) -> None:
        self.dynamodb: DynamoLimits | None = None
        self.events: EventLimits | None = None
        self.queues: QueueLimits | None = None
        self.uploads: UploadLimits | None = None

    def before_dynamodb(self, *, model: Any, params: dict[str, Any], **_: object) -> Answer | None:
        if self.dynamodb is None:
            return None
        body = json.loads(params["body"])
        return _answered(partial(self.dynamodb.check, model.name, body))

    def before_events(
        self, *, model: Any, params: dict[str, Any], context: dict[str, Any], **_: object
    ) -> Any:
        if self.events is None or model.name != "PutEvents":
            return None
        body = json.loads(params["body"])
        answer = _answered(partial(self.events.check, body, context))
        params["body"] = json.dumps(body).encode()
        return answer

    def after_events(self, *, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if self.events:
            self.events.finish(parsed, context)

    def before_sqs(self, *, model: Any, params: dict[str, Any], **_: object) -> Answer | None:
        if self.queues is None:
            return None
        return _answered(partial(self.queues.check, model.name, json.loads(params["body"])))

    def before_s3(self, *, model: Any, params: dict[str, Any], context: dict[str, Any], **_: object) -> Any:
        if self.uploads is None:
            return None
        context["membus_upload"] = upload_of(params)
        return _answered(partial(self.uploads.check, model.name, params["url"]))

    def after_s3(self, *, model: Any, http_response: Any, context: dict[str, Any], **_: object) -> None:
        if self.uploads:
            self.uploads.done(model.name, http_response.status_code, context.get("membus_upload", ""))


def _answered(check: Callable[[], dict[str, Any] | None]) -> Answer | None:
    """Return the answer that the check itself gives, None where the call may go on to the emulator."""
    try:
        parsed, status = check(), 200
    except Refusal as refusal:
        parsed, status = refusal.parsed, 400
    return None if parsed is None else (AWSResponse("https://strict", status, HTTPHeaders(), None), parsed)


_guard = _Guard()
BUILTIN_HANDLERS.extend(
    [
        ("before-call.dynamodb", _guard.before_dynamodb),
        ("before-call.events", _guard.before_events),
        ("after-call.events.PutEvents", _guard.after_events),
        ("before-call.sqs", _guard.before_sqs),
        ("before-call.s3", _guard.before_s3),
        ("after-call.s3", _guard.after_s3),
    ]
)


@cache
def _session() -> boto3.Session:
    """Return one session for all emulators of this process.

    Reading botocore's models costs more than most tests do.
    """
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@contextmanager
def strict_aws() -> Iterator[None]:
    """Answer every AWS call of this process from memory.

    Sessions must be made after this module is imported.
    """
    with mock_aws():
        boto3.DEFAULT_SESSION = _session()
        _guard.dynamodb, _guard.events = DynamoLimits(), EventLimits()
        _guard.queues, _guard.uploads = QueueLimits(), UploadLimits()
        try:
            yield
        finally:
            _guard.dynamodb = _guard.events = _guard.queues = _guard.uploads = None
