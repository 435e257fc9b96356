"""functions/api/idempotency over DynamoDB: Powertools' records in our table, with our errors."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from botocore.exceptions import ConnectTimeoutError

from functions.api.idempotency import JsonObject, idempotency_config, run_idempotent
from membus.core.errors import InvalidError, UnavailableError
from tests.fakes.idempotency import InMemoryIdempotency
from tests.strict import strict_aws
from tests.support.api_client import LambdaInvocation
from tests.support.tables import make_table

ASKED: JsonObject = {"tenant": "acme", "key": "k1", "body": {"title": "Trip"}}


@pytest.fixture(params=["fake", "strict"])
def store(request: pytest.FixtureRequest) -> Iterator[BasePersistenceLayer]:
    if request.param == "fake":
        yield InMemoryIdempotency()
    else:
        with strict_aws():
            name = make_table("idempotency").name
            yield DynamoDBPersistenceLayer(
                name, boto3_client=boto3.client("dynamodb", region_name="us-east-1")
            )


class Work:
    def __init__(self, store: BasePersistenceLayer) -> None:
        self._store = store
        self.done = 0
        self.fault: Exception | None = None

    def ask(self, **fields: Any) -> JsonObject:
        context: Any = LambdaInvocation()
        request, config = ASKED | fields, idempotency_config(context)

        def act() -> JsonObject:
            if self.fault:
                raise self.fault
            self.done += 1
            return {"number": self.done, "title": request["body"]["title"]}

        return run_idempotent("things.make", request, act, store=self._store, config=config)


@pytest.fixture
def work(store: BasePersistenceLayer) -> Work:
    return Work(store)


def test_repeated_request_acts_once_and_answers_the_same(work: Work) -> None:
    assert work.ask() == work.ask() == {"number": 1, "title": "Trip"}
    assert work.done == 1


def test_another_body_under_the_same_key_is_rejected(work: Work) -> None:
    work.ask()

    with pytest.raises(InvalidError) as refused:
        work.ask(body={"title": "Other"})

    assert (refused.value.code, work.done) == ("idempotency_mismatch", 1)


@pytest.mark.parametrize("fields", [{"key": "k2"}, {"tenant": "zeta"}, {"tenant": "acmek1", "key": ""}])
def test_another_key_or_tenant_is_another_request(work: Work, fields: dict[str, str]) -> None:
    work.ask()

    assert work.ask(**fields)["number"] == 2


def test_request_that_failed_may_be_repeated(work: Work) -> None:
    work.fault = UnavailableError("busy")
    with pytest.raises(UnavailableError):
        work.ask()
    work.fault = None

    assert work.ask()["number"] == 1


def test_request_does_nothing_while_records_are_unavailable() -> None:
    def cut(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    with strict_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.meta.events.register_first("before-call.dynamodb", cut)
        work = Work(DynamoDBPersistenceLayer("membus-test-idempotency", boto3_client=client))

        with pytest.raises(UnavailableError):
            work.ask()

    assert work.done == 0
