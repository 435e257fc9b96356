"""Parts that answer in part or not: a table returns some of a batch, a warm function loses a secret."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities import parameters

from membus.aws.dynamodb.table import DynamoTable
from membus.container import Container
from membus.core.errors import UnavailableError
from tests.strict import strict_aws
from tests.support.tables import make_table

KEYS = [{"pk": "T#acme#C#1", "sk": f"MSG#{number}"} for number in range(8)]


@pytest.fixture
def table() -> Iterator[Any]:
    with strict_aws():
        made = make_table("conversations")
        for key in KEYS:
            made.put_item(Item=key)
        yield made


def hand_out(table: Any, share: float, *, times: int) -> list[int]:
    """Let the table answer `times` batches with a share of their items.

    Return how many each was asked for.
    """
    asked: list[int] = []

    def after(parsed: dict[str, Any], **_: object) -> None:
        found = parsed["Responses"][table.name]
        asked.append(len(found))
        if len(asked) <= times:
            kept = round(len(found) * share)
            left = [{name: item[name] for name in ("pk", "sk")} for item in found[kept:]]
            parsed["Responses"][table.name] = found[:kept]
            parsed["UnprocessedKeys"] = {table.name: {"Keys": left}}

    table.meta.client.meta.events.register_first("after-call.dynamodb.BatchGetItem", after)
    return asked


def test_batch_returned_in_halves_is_read_whole(table: Any) -> None:
    asked = hand_out(table, 0.5, times=3)

    found = sorted(item["sk"] for item in DynamoTable(table).get_batch(KEYS, doing="reading"))

    assert found == sorted(key["sk"] for key in KEYS)
    assert asked == [8, 4, 2, 1]


def test_table_that_returns_nothing_of_a_batch_is_busy_not_empty(table: Any) -> None:
    hand_out(table, 0, times=9)

    with pytest.raises(UnavailableError, match="busy while reading"):
        list(DynamoTable(table).get_batch(KEYS, doing="reading"))


def test_secret_is_used_until_it_must_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    llm = Container({"MODEL_SECRET_ID": "membus-test-model"}).llm
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with strict_aws():
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="membus-test-model", SecretString="key")
        vars(parameters.base)["DEFAULT_PROVIDERS"].clear()
        assert llm.get_api_key() == "key"

        secrets.delete_secret(SecretId="membus-test-model", ForceDeleteWithoutRecovery=True)
        assert llm.get_api_key() == "key"

        parameters.clear_caches()  # as five minutes do
        with pytest.raises(UnavailableError) as away:
            llm.get_api_key()
        assert away.value.code == "model_unavailable"
        vars(parameters.base)["DEFAULT_PROVIDERS"].clear()
