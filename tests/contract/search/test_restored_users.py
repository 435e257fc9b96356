"""Erased users that a restore brings back are found in each store alone, and erased again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from functions.erase.usecase import Eraser
from membus.aws.postgres import PostgresConnection, TenantTransactions
from membus.conversations.summary import Summary
from membus.core.erasure import ErasureStep
from membus.core.identity import Owner
from membus.search.erasure import IndexEraser
from membus.search.memory_projection import project_summary
from membus.search.postgres.store import PostgresMemories
from membus.search.retrieval import index_entry
from scripts.erasure.commands import list_erased_owners
from scripts.erasure.dynamodb import DynamoUsers, carry_over_erasures
from scripts.erasure.ports import UserDirectory
from scripts.erasure.postgres import PostgresUsers
from scripts.erasure.stale_summaries import StaleSummaries
from tests.contract.search.test_erasing import kept
from tests.factories import a_conversation
from tests.support.canaries import canary_of, plant, speak, sum_up
from tests.support.erasure import KEPT_DAYS, SETTLE, ErasureSetup, make_erasure_setup

ADA, GRACE, ELSEWHERE = (
    Owner(tenant=tenant, user=user)
    for tenant, user in (("restored", "ada"), ("restored", "grace"), ("restoreds", "ada"))
)

LISTED = Key("status_pk").eq("T#restored#U#ada#active")


@pytest.fixture
def made(transactions: TenantTransactions) -> Iterator[ErasureSetup]:
    """Everybody has something in every store, and Ada speaks in Grace's conversation."""
    with make_erasure_setup() as made:
        for owner in (ADA, GRACE, ELSEWHERE):
            plant(made, owner)
            indexed(transactions, owner)
        shared = a_conversation("shared", tenant_id=GRACE.tenant, user_id=GRACE.user, members=(ADA.user,))
        made.conversations.create_conversation(shared, request_key="shared")
        speak(made, ADA, "shared", 2)
        sum_up(made, ADA, "shared", canary_of(ADA))
        yield made


def indexed(transactions: TenantTransactions, owner: Owner) -> None:
    kept(PostgresMemories(transactions, model="m"), owner, 4)


def rows(transactions: TenantTransactions, owner: Owner) -> Mapping[str, int]:
    return IndexEraser(transactions).count(owner, ErasureStep()).counts


def erase(made: ErasureSetup, transactions: TenantTransactions, owner: Owner) -> None:
    job, stores = made.ask(owner), (*made.stores(), IndexEraser(transactions))
    work = Eraser(
        jobs=made.erasures,
        stores=stores,
        clock=made.clock,
        seconds_left=lambda: 300,
        settle_time=SETTLE,
        kept_days=KEPT_DAYS,
    )
    while (wait := work.advance_job(made.erasures.get_job(job.tenant, job.job_id))) is not None:
        made.tiers.now += wait
    assert made.erasures.get_job(job.tenant, job.job_id).receipt


def stores(made: ErasureSetup, transactions: TenantTransactions) -> Mapping[str, UserDirectory]:
    """Return the stores as `OperatorContainer.users_by_store` lists them."""
    return {
        "memory": DynamoUsers(made.memory, "user_pk"),
        "conversations": DynamoUsers(made.talks, "status_pk"),
        "index": PostgresUsers(transactions),
    }


def restore(
    made: ErasureSetup, transactions: TenantTransactions, name: str, backup: Sequence[Mapping[str, Any]]
) -> None:
    """Bring one store back to what it was; the table `memory` takes what it must from the one in use."""
    live = made.table_like(made.memory)
    for item in backup:
        (made.memory if name == "memory" else made.talks).put_item(Item=item)
    if name == "memory":
        carry_over_erasures("restored", live=live, restored=made.memory)
    if name == "index":
        indexed(transactions, ADA)


def summed_up(
    made: ErasureSetup, transactions: TenantTransactions, tenant: str, conversation_id: str
) -> None:
    """Put a conversation's summaries into the index as they are."""
    conversation = made.conversations.get_conversation(tenant, conversation_id)
    item, *_ = made.talks.query(
        KeyConditionExpression=Key("pk").eq(f"T#{tenant}#C#{conversation_id}")
        & Key("sk").begins_with("SUMMARY#")
    )["Items"]
    told = project_summary(conversation, Summary.model_validate_json(str(item["body"])))
    PostgresMemories(transactions, model="m").put(tenant, [index_entry(told)])


def summaries(transactions: TenantTransactions, tenant: str) -> set[str]:
    asked = b"SELECT group_id FROM membus.memories WHERE tenant_id = %(tenant)s AND kind = 'summary'"

    def work(connection: PostgresConnection) -> Callable[[], list[tuple[Any, ...]]]:
        return connection.execute(asked, {"tenant": tenant}).fetchall

    return {str(group).split(":")[1] for (group,) in transactions.run_transaction(tenant, work)}


@pytest.mark.parametrize("name", ["memory", "conversations", "index"])
def test_each_store_lists_its_users_of_one_tenant(
    made: ErasureSetup, transactions: TenantTransactions, name: str
) -> None:
    users = stores(made, transactions)[name]

    assert users.list_users("restored") == ["ada", "grace"]
    assert users.list_users("restoreds") == ["ada"]
    assert users.list_users("nobodys") == []


@pytest.mark.parametrize("name", ["memory", "conversations", "index"])
def test_erased_user_restored_by_one_store_is_erased_again(
    made: ErasureSetup, transactions: TenantTransactions, name: str
) -> None:
    tables = {"memory": made.memory, "conversations": made.talks}
    backup = tables[name].scan()["Items"] if name in tables else []

    erase(made, transactions, ADA)
    assert list_erased_owners("restored", stores(made, transactions), made.erasures) == {}
    theirs, grace = rows(transactions, ELSEWHERE), rows(transactions, GRACE)

    restore(made, transactions, name, backup)
    assert list_erased_owners("restored", stores(made, transactions), made.erasures) == {"ada": [name]}
    erase(made, transactions, ADA)

    assert list_erased_owners("restored", stores(made, transactions), made.erasures) == {}
    assert canary_of(ADA) not in made.everything()
    assert set(rows(transactions, ADA).values()) == {0}
    assert canary_of(GRACE) in made.everything()
    assert (rows(transactions, ELSEWHERE), rows(transactions, GRACE)) == (theirs, grace)


def test_user_of_a_half_done_erasure_in_a_backup_is_found(
    made: ErasureSetup, transactions: TenantTransactions
) -> None:
    """After the first round no entry of a conversation names Ada any more: notes do, until the second."""
    assert made.eraser(lambda: 300).advance_job(made.ask(ADA))

    assert made.talks.query(IndexName="by_status", KeyConditionExpression=LISTED)["Items"] == []
    assert "ada" in stores(made, transactions)["conversations"].list_users("restored")


def test_stale_summary_leaves_a_restored_index(made: ErasureSetup, transactions: TenantTransactions) -> None:
    """It lies among what is Grace's: nothing there names Ada but its words."""
    for tenant, conversation_id in (("restored", "shared"), ("restored", "graces"), ("restoreds", "adas")):
        summed_up(made, transactions, tenant, conversation_id)
    stale = StaleSummaries(transactions, made.talks)
    assert stale.delete_stale("restored") == 0

    erase(made, transactions, ADA)

    assert stale.delete_stale("restored") == 1
    assert summaries(transactions, "restored") == {"graces"}
    assert summaries(transactions, "restoreds") == {"adas"}
    speak(made, GRACE, "shared", 9)
    sum_up(made, GRACE, "shared", "tea")
    summed_up(made, transactions, "restored", "shared")
    assert stale.delete_stale("restored") == 0
