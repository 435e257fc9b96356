"""Erasure of a user's messages in the queues where messages end: dead letters, poison, undelivered events.

A queue can be read, not searched: every message is received once, the user's are deleted and all others
handed back.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from membus.aws.clients import translate_aws_errors
from membus.aws.dynamodb.keys import tenant_pk, user_pk
from membus.conversations.conversation import TURN_EVENT_PREFIX
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS = 120
"""How long other consumers do not see a received message; it is handed back sooner."""
WAIT_SECONDS = 1
"""A long poll: it asks all of a queue's servers."""
MESSAGES_MAX = 20_000
"""Messages received of one queue: an operator empties it long before."""

IsAbout = Callable[[Mapping[str, Any], Owner], bool]


def is_about_user(said: Mapping[str, Any], owner: Owner) -> bool:
    """Return whether an object is about a user: an event, a turn, or a change of one of the user's items."""
    if (said.get("tenant_id"), said.get("user_id")) == (owner.tenant, owner.user):
        return True
    message = said.get("message")  # a turn that failed in an invocation of its own
    if (
        said.get("tenant") == owner.tenant
        and isinstance(message, dict)
        and message.get("author") == owner.user
    ):
        return True
    keys = (said.get(name) for name in ("pk", "user_pk"))
    return any(isinstance(key, dict) and key.get("S") == user_pk(owner) for key in keys)


def is_about_events(events: Collection[str]) -> IsAbout:
    """Return what tells whether an object is one of a user's events, or the turn of one."""

    def is_about(said: Mapping[str, Any], owner: Owner) -> bool:
        names = (said.get("event_id"), f"{TURN_EVENT_PREFIX}{said.get('message_id')}")
        return is_about_user(said, owner) and any(name in events for name in names)

    return is_about


def is_about_tenant(said: Mapping[str, Any], owner: Owner) -> bool:
    """Return whether an object is about any user of a tenant."""
    if owner.tenant in (said.get("tenant_id"), said.get("tenant")):
        return True
    key = said.get("pk")
    return isinstance(key, dict) and f"{key.get('S')}#".startswith(f"{tenant_pk(owner.tenant)}#")


class DeadLetterEraser:
    """`queues` are URLs by name; `is_about` says of an object in a message whether it is about the owner."""

    name = "messages"

    def __init__(
        self,
        client: "SQSClient",
        queues: Mapping[str, str],
        is_about: IsAbout = is_about_user,
        *,
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self._client, self._queues = client, queues
        self._is_about, self._wait_seconds = is_about, wait_seconds

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return self._walk(owner, step, delete=True)

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return self._walk(owner, step, delete=False)

    def _walk(self, owner: Owner, step: ErasureStep, *, delete: bool) -> ErasureCount:
        found = 0
        for name in sorted(name for name in self._queues if name > step.cursor):
            with translate_aws_errors("a queue of dead letters"):
                found += self._search_queue(self._queues[name], owner, delete=delete)
            if not step.time_left():
                return ErasureCount({"messages": found}, name)
        return ErasureCount({"messages": found})

    def _search_queue(self, url: str, owner: Owner, *, delete: bool) -> int:
        found, others = 0, list[str]()
        try:
            for message in self._receive(url):
                matches = any(self._is_about(each, owner) for each in _objects(message["Body"]))
                found += matches
                if matches and delete:
                    self._client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                else:
                    others.append(message["ReceiptHandle"])
        finally:
            for receipt in others:
                self._client.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0
                )
        return found

    def _receive(self, url: str) -> Iterator[Any]:
        for _ in range(0, MESSAGES_MAX, 10):
            answer = self._client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=self._wait_seconds,
            )
            if not answer.get("Messages"):
                return
            yield from answer["Messages"]


def _objects(body: str) -> Iterator[Mapping[str, Any]]:
    """Yield every object in a message, also those that lie in it as JSON text."""
    waiting: list[Any] = [body]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and each.lstrip().startswith(("{", "[")):
            with suppress(ValueError, RecursionError):
                waiting.append(json.loads(each))
