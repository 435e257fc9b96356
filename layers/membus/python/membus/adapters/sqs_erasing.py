"""A user's messages in the queues where messages end: dead letters, what was parked, what a rule could not deliver.

A queue can be read, not searched: every message is received once, the user's are removed and all others handed back.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from membus.adapters.aws import translated
from membus.domain.identity import Owner
from membus.ports.erasures import Tally

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS = 120
"""How long others cannot see what is being looked through; it is handed back sooner."""
MESSAGES_MAX = 20_000
"""Of one queue: an operator empties it long before."""


class EndedMessages:
    """`queues` are URLs by name; `theirs` says of a body whether it is the user's."""

    name = "messages"

    def __init__(self, client: "SQSClient", queues: Mapping[str, str]) -> None:
        self._client, self._queues = client, queues

    def erase(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool) -> Tally:  # noqa: ARG002
        return self._walk(owner, cursor, time_left, remove=True)

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> Tally:
        return self._walk(owner, cursor, time_left, remove=False)

    def _walk(self, owner: Owner, cursor: str, time_left: Callable[[], bool], *, remove: bool) -> Tally:
        found = 0
        for name in sorted(self._queues):
            if name <= cursor:
                continue
            found += self._through(self._queues[name], owner, remove=remove)
            if not time_left():
                return Tally({"messages": found}, name)
        return Tally({"messages": found})

    def _through(self, url: str, owner: Owner, *, remove: bool) -> int:
        found, others = 0, list[str]()
        try:
            for message in self._received(url):
                mine = is_theirs(message["Body"], owner)
                found += mine
                if mine and remove:
                    with translated("a queue of dead letters"):
                        self._client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                else:
                    others.append(message["ReceiptHandle"])
        finally:
            for receipt in others:
                with translated("a queue of dead letters"):
                    self._client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
        return found

    def _received(self, url: str) -> Iterator[Any]:
        for _ in range(0, MESSAGES_MAX, 10):
            with translated("a queue of dead letters"):
                answer = self._client.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN_SECONDS, WaitTimeSeconds=1
                )
            if not answer.get("Messages"):
                return
            yield from answer["Messages"]


def is_theirs(body: str, owner: Owner) -> bool:
    """Whether a message is about a user: an event, its envelope, a turn, or a change of one of the user's items.

    What is no JSON names nobody.
    """
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return any(_names(each, owner) for each in _objects(said))


def _names(said: Mapping[str, Any], owner: Owner) -> bool:
    if (said.get("tenant_id"), said.get("user_id")) == (owner.tenant, owner.user):
        return True
    message = said.get("message")  # a turn that failed in an invocation of its own
    if said.get("tenant") == owner.tenant and isinstance(message, dict) and message.get("author") == owner.user:
        return True
    keys = (said.get(name) for name in ("pk", "user_pk"))
    pk = f"T#{owner.tenant}#U#{owner.user}"
    return any(isinstance(key, dict) and key.get("S") == pk for key in keys)


def _objects(said: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object in a message, also those that lie in it as text."""
    if isinstance(said, dict):
        yield said
        for value in said.values():
            yield from _objects(value)
    elif isinstance(said, list):
        for value in said:
            yield from _objects(value)
    elif isinstance(said, str) and said.startswith("{"):
        try:
            yield from _objects(json.loads(said))
        except ValueError:
            return
