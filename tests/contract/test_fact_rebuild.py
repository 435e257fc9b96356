"""A user's facts written anew: what differs and nothing else, guarded against whoever learns meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.conditions import Key

from membus.core.errors import ConflictError
from membus.core.identity import Owner
from membus.facts.dynamodb import DynamoFacts
from membus.facts.dynamodb_rebuild import DynamoFactRebuilder
from membus.facts.observation import Observation
from tests.factories import ADA, NOON, an_observation, learn
from tests.strict import strict_aws
from tests.support.tables import make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass
class Stored:
    table: "Table"
    facts: DynamoFacts
    rebuild: DynamoFactRebuilder

    def items(self) -> list[dict[str, Any]]:
        return self.table.query(KeyConditionExpression=Key("pk").eq("T#acme#U#ada"))["Items"]


@pytest.fixture
def stored() -> Iterator[Stored]:
    with strict_aws():
        table = make_table("memory")
        yield Stored(table, DynamoFacts(table), DynamoFactRebuilder(table))


def seen(number: int, *, key: str = "home.city", value: str | None = None) -> Observation:
    moment = NOON + timedelta(minutes=number)
    return an_observation(value or f"city {number}", event_id=f"e{number}", key=key, valid_from=moment)


def exactly(*observations: Observation) -> Any:
    return lambda _: list(observations)


def test_the_same_observations_write_nothing(stored: Stored) -> None:
    learn(stored.facts, ADA, seen(1), seen(2))
    before = stored.items()

    assert stored.rebuild.rebuild_facts(ADA, lambda found: list(reversed(found))) == 0
    assert stored.items() == before


def test_a_lost_table_is_written_again_item_by_item(stored: Stored) -> None:
    observations = [seen(1), seen(2), *(seen(n, key=f"likes.thing{n}") for n in range(3, 60))]
    for each in observations:
        learn(stored.facts, ADA, each)
    before = {item["sk"]: item for item in stored.items()}
    for sk in before:
        stored.table.delete_item(Key={"pk": "T#acme#U#ada", "sk": sk})

    stored.rebuild.rebuild_facts(ADA, exactly(*observations))

    after = {item["sk"]: item for item in stored.items()}
    for item in (*before.values(), *after.values()):
        item.pop("revision", None)
    profiles = [stored.facts.get_profile(ADA).facts for _ in (before, after)]
    assert {sk: item for sk, item in after.items() if sk != "PROFILE"} == {
        sk: item for sk, item in before.items() if sk != "PROFILE"
    }
    assert len(profiles[1]) == 58


def test_fact_without_observations_is_deleted_with_its_history(stored: Stored) -> None:
    learn(stored.facts, ADA, seen(1), seen(2), seen(3, key="likes.tea", value="tea"))

    stored.rebuild.rebuild_facts(ADA, exactly(seen(1)))

    assert [fact.value for fact in stored.facts.get_profile(ADA).facts] == ["city 1"]
    assert [item["sk"] for item in stored.items() if str(item["sk"]).startswith("FACT#")] == [
        "FACT#home.city"
    ]
    assert stored.facts.list_observations(ADA) == [seen(1)]


def test_a_fact_of_fewer_observations_than_before_is_a_newer_revision(stored: Stored) -> None:
    learn(stored.facts, ADA, seen(1))
    learn(stored.facts, ADA, seen(2))

    stored.rebuild.rebuild_facts(ADA, exactly(seen(1)))
    learn(stored.facts, ADA, seen(3, key="likes.tea", value="tea"))

    revisions = {item["sk"]: int(item["revision"]) for item in stored.items() if "revision" in item}
    assert revisions == {"FACT#home.city": 3, "FACT#likes.tea": 4}


def test_concurrent_commit_is_not_overwritten(stored: Stored) -> None:
    learn(stored.facts, ADA, seen(1))
    asked: list[int] = []

    def wanted(found: Sequence[Observation]) -> list[Observation]:
        if not asked:
            learn(stored.facts, ADA, seen(2, key="likes.tea", value="tea"))
        asked.append(len(found))
        return [*(each for each in found if each.key != "home.city"), seen(5)]

    stored.rebuild.rebuild_facts(ADA, wanted)

    assert asked == [1, 2]
    assert {fact.key: fact.value for fact in stored.facts.get_profile(ADA).facts} == {
        "home.city": "city 5",
        "likes.tea": "tea",
    }


def test_user_with_endless_commits_is_reported(stored: Stored) -> None:
    learn(stored.facts, ADA, seen(1))
    number = iter(range(2, 50))

    def wanted(found: Sequence[Observation]) -> list[Observation]:
        learn(stored.facts, ADA, seen(next(number)))
        return [*found, seen(99)]

    with pytest.raises(ConflictError):
        stored.rebuild.rebuild_facts(ADA, wanted)


def test_user_of_the_same_id_in_another_tenant_is_not_changed(stored: Stored) -> None:
    zeta = Owner(tenant="zeta", user="ada")
    learn(stored.facts, ADA, seen(1))
    learn(stored.facts, zeta, seen(1))

    stored.rebuild.rebuild_facts(ADA, exactly())

    assert stored.facts.list_observations(ADA) == []
    assert stored.facts.list_observations(zeta) == [seen(1)]
