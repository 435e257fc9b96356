"""What only the DynamoDB adapters can get wrong.

Faults of the table, sizes, and what is left behind a port.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ConnectTimeoutError

from membus.aws.dynamodb.keys import event_pk
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_summaries import DynamoSummaries
from membus.conversations.summary import SummaryIndex
from membus.core.errors import ConflictError, UnavailableError
from membus.episodes.dynamodb import DynamoEpisodes
from membus.facts.dynamodb import DynamoFacts
from membus.facts.dynamodb_signals import DynamoSignals
from membus.facts.rules import find_signals as signals_of
from tests.factories import (
    ADA,
    NOON,
    a_conversation,
    a_server_error,
    a_summary,
    a_turn,
    an_event,
    an_observation,
    an_outline,
    learn,
    recorded,
    said,
)
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def refuse(table: "Table", code: str, *reasons: str, operation: str = "*", times: int = 1000) -> None:
    """Let the table answer the next calls with an error, as botocore hands it on."""
    left = [times]
    parsed = {
        "Error": {"Code": code, "Message": "as planned"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }

    def answer(**_: object) -> Any:
        left[0] -= 1
        return (AWSResponse("https://dynamodb", 400, HTTPHeaders(), None), parsed) if left[0] >= 0 else None

    table.meta.client.meta.events.register_first(f"before-call.dynamodb.{operation}", answer)


Ask = Callable[["Table"], object]
ASKS: list[Ask] = [
    lambda table: DynamoFacts(table).get_profile(ADA),
    lambda table: DynamoFacts(table).get_fact(ADA, "k"),
    lambda table: DynamoFacts(table).list_facts(ADA, kind=None, limit=1, after=None),
    lambda table: DynamoFacts(table).list_observations(ADA),
    lambda table: DynamoEpisodes(table, InMemoryBlobs()).record_event(recorded(), extracted=None),
    lambda table: DynamoEpisodes(table, InMemoryBlobs()).forget_event(recorded()),
    lambda table: DynamoSignals(table).add_signal(ADA, signals_of(recorded(a_server_error("e1")))[0]),
    lambda table: DynamoConversations(table, StoppedClock()).create_conversation(
        a_conversation(), request_key="k"
    ),
    lambda table: DynamoConversations(table, StoppedClock()).get_conversation("acme", "c"),
    lambda table: DynamoConversations(table, StoppedClock()).list_conversations(
        "acme", "active", user=None, limit=1, after=None
    ),
    lambda table: DynamoConversations(table, StoppedClock()).list_messages("acme", "c", limit=1, after=None),
    lambda table: DynamoConversations(table, StoppedClock()).list_recent_messages("acme", "c", limit=1),
    lambda table: DynamoConversations(table, StoppedClock()).get_message("acme", "c", "m"),
    lambda table: DynamoConversations(table, StoppedClock()).get_provenance("acme", "c", "m"),
    lambda table: DynamoSummaries(table).get_index("acme", "c"),
    lambda table: DynamoSummaries(table).list_summaries("acme", "c", limit=1, after=None),
    lambda table: DynamoSummaries(table).list_unsummarised("acme", "c", after=None, limit=1),
    lambda table: DynamoSummaries(table).save_index(
        "acme", "c", an_outline(), read=SummaryIndex(), summaries=[a_summary()]
    ),
    lambda table: DynamoConversations(table, StoppedClock()).update_conversation(
        a_conversation(), a_conversation(version=2)
    ),
    lambda table: DynamoConversations(table, StoppedClock()).delete_conversation("acme", "c"),
    lambda table: DynamoConversations(table, StoppedClock()).find_turn("acme", "c", "k"),
    lambda table: DynamoConversations(table, StoppedClock()).add_turn(
        "acme", "c", a_turn(), request_key="k", title=None
    ),
]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("ThrottlingException", ()),
        ("ProvisionedThroughputExceededException", ()),
        ("InternalServerError", ()),
        ("TransactionCanceledException", ("None", "ThrottlingError")),
    ],
)
def test_busy_table_is_unavailable_and_may_be_retried(
    table: "Table", ask: Ask, code: str, reasons: tuple[str, ...]
) -> None:
    refuse(table, code, *reasons)

    with pytest.raises(UnavailableError) as unavailable:
        ask(table)

    assert isinstance(unavailable.value.__cause__, ClientError)


@pytest.mark.parametrize("ask", ASKS)
def test_unreachable_table_is_unavailable_and_may_be_retried(table: "Table", ask: Ask) -> None:
    def cut(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    table.meta.client.meta.events.register_first("before-call.dynamodb", cut)

    with pytest.raises(UnavailableError):
        ask(table)


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"]
)
def test_defect_of_membus_is_not_reported_as_unavailable(table: "Table", ask: Ask, code: str) -> None:
    refuse(table, code)

    with pytest.raises(ClientError, match=code):
        ask(table)


COLLIDED = ("TransactionCanceledException", "None", "TransactionConflict")


def test_colliding_transactions_are_tried_again(table: "Table") -> None:
    refuse(table, *COLLIDED, operation="TransactWriteItems", times=3)

    assert DynamoEpisodes(table, InMemoryBlobs()).record_event(recorded(), extracted=None) == recorded()


def test_colliding_copies_of_an_event_are_unavailable_and_store_nothing(table: "Table") -> None:
    refuse(table, *COLLIDED, operation="TransactWriteItems", times=5)

    with pytest.raises(ConflictError):
        DynamoEpisodes(table, InMemoryBlobs()).record_event(recorded(), extracted=None)

    assert table.scan()["Items"] == []


def test_commit_that_keeps_colliding_is_a_conflict(table: "Table") -> None:
    refuse(table, *COLLIDED, operation="TransactWriteItems", times=5)

    with pytest.raises(ConflictError):
        learn(DynamoFacts(table), ADA, an_observation())


def test_a_condition_that_failed_is_not_tried_again(table: "Table") -> None:
    refuse(
        table,
        COLLIDED[0],
        "ConditionalCheckFailed",
        "TransactionConflict",
        operation="TransactWriteItems",
        times=1,
    )

    with pytest.raises(ConflictError):
        learn(DynamoFacts(table), ADA, an_observation())


def test_a_forgotten_event_leaves_no_content_anywhere(table: "Table") -> None:
    DynamoEpisodes(table, InMemoryBlobs()).forget_event(
        recorded(said("my secret", session_id="hidden-session"))
    )

    (item,) = table.scan()["Items"]
    assert item == {"pk": event_pk(ADA, "e1"), "sk": "EVENT", "extracted": "forgotten"}


def test_an_episode_is_found_by_user_and_by_the_archiver(table: "Table") -> None:
    DynamoEpisodes(table, InMemoryBlobs()).record_event(recorded(), extracted=None)

    (episode,) = table.query(
        IndexName="by_user",
        KeyConditionExpression="user_pk = :u",
        ExpressionAttributeValues={":u": "T#acme#U#ada"},
    )["Items"]
    assert episode["pk"] == "T#acme#A#default#E#2026-03-01"
    assert len(table.scan(IndexName="unarchived")["Items"]) == 1


def test_episode_is_stored_under_its_day_in_utc(table: "Table") -> None:
    late = recorded(an_event(occurred_at="2026-03-01T23:30:00-05:00"))
    DynamoEpisodes(table, InMemoryBlobs()).record_event(late, extracted=None)

    assert {item["pk"] for item in table.scan()["Items"]} == {
        "T#acme#A#default#E#2026-03-02",
        event_pk(ADA, "e1"),
    }


def test_many_server_errors_cost_the_same_for_each_event(table: "Table") -> None:
    signals = DynamoSignals(table)
    storm = [
        signals_of(recorded(a_server_error(f"e{n:02}", at=NOON + timedelta(seconds=n))))[0] for n in range(20)
    ]

    seen = [len(signals.add_signal(ADA, signal)) for signal in storm]

    assert seen == [1, 2, 3, 4, *[5] * 16]
