"""membus.aws.dynamodb.keys: what is written is read back, and Terraform grants the same keys."""

import re
from datetime import date
from pathlib import Path

import pytest

from membus.aws.dynamodb import keys
from membus.aws.dynamodb.keys import AgentDay
from membus.core.identity import Owner
from tests.factories import ADA

ROOT = Path(__file__).parents[2]
KEY_LAYOUT = ROOT / "terraform/modules/platform/key_layout.tf"
ANYBODY = Owner.model_construct(tenant="*", user="*")
PATTERNS = {
    "user": keys.user_pk(ANYBODY),
    "agent": keys.agent_pk("*", "*"),
    "day": f"{keys.days_prefix('*', '*')}*",
    "event": f"{keys.events_prefix('*')}*",
    "document": keys.document_pk("*", "*"),
    "catalog": keys.catalog_pk("*"),
    "conversation": keys.conversation_pk("*", "*"),
    "connection": keys.connection_pk("*", "*"),
    "api_key": keys.api_key_pk("*"),
    "tenant": keys.tenant_pk("*"),
    "usage": keys.usage_pk("*"),
    "rate_limit": keys.rate_limit_pk("*"),
    "settings": keys.settings_pk("*"),
    "erased": keys.erased_pk("*"),
    "job": keys.job_pk("*"),
    "unarchived": re.sub(r"\d+", "*", keys.unarchived_pk(7)),
    "uncompacted": re.sub(r"\d+", "*", keys.uncompacted_pk(7)),
}
DAY = AgentDay("acme", "guide", date(2026, 7, 1))


def test_terraform_grants_the_keys_that_python_writes() -> None:
    layout = KEY_LAYOUT.read_text()
    block = layout[layout.index("key_patterns = {") : layout.index("collections = {")]

    assert dict(re.findall(r'^\s*(\w+)\s*=\s*"([^"]+)"', block, re.MULTILINE)) == PATTERNS


def test_no_other_module_writes_a_partition_key() -> None:
    product = [
        path for folder in ("layers", "functions", "scripts") for path in (ROOT / folder).rglob("*.py")
    ]

    assert [path.name for path in product if re.search(r'"T#', path.read_text())] == ["keys.py"]


def test_user_key_is_read_back_and_no_longer_key_is_one() -> None:
    assert keys.parse_user_key(keys.user_pk(ADA)) == (ADA.tenant, ADA.user)
    assert keys.parse_user_key(keys.status_pk(ADA.tenant, "active", ADA.user)) is None
    assert keys.parse_user_key(keys.agent_pk("acme", "guide")) is None
    assert keys.parse_user_key("None") is None


def test_conversation_key_is_read_back() -> None:
    assert keys.parse_conversation_key(keys.conversation_pk("acme", "talk")) == ("acme", "talk")
    assert keys.parse_conversation_key(keys.user_pk(ADA)) is None


def test_every_partition_of_an_agents_day_is_read_back() -> None:
    assert [keys.parse_day_key(pk) for pk in keys.day_pks(DAY, shards=3)] == [DAY] * 3
    assert keys.day_pks(DAY, shards=1) == ["T#acme#A#guide#E#2026-07-01"]
    assert keys.parse_day_key(keys.agent_pk("acme", "guide")) is None


def test_event_key_tells_users_apart_and_names_none() -> None:
    bob = Owner(tenant=ADA.tenant, user="bob")

    assert keys.event_pk(ADA, "order-1") != keys.event_pk(bob, "order-1")
    assert not any(word in keys.event_pk(ADA, "order-1") for word in ("ada", "order-1"))
    assert keys.event_pk(ADA, "e1").startswith(keys.events_prefix(ADA.tenant))


def test_tenant_is_read_from_any_partition() -> None:
    partitions = (keys.tenant_pk("acme"), keys.catalog_pk("acme"), keys.user_pk(ADA), keys.job_pk("acme"))

    assert {keys.tenant_of(pk) for pk in partitions} == {"acme"}


@pytest.mark.parametrize(
    ("pk", "sk", "kind"),
    [
        ("T#acme#U#ada", "FACT#home.city", "fact"),
        ("T#acme#U#ada", "FACTV#home.city#1#e1", None),
        ("T#acme#U#ada", "PROFILE", None),
        ("T#acme#U#ada", "DOC#mem_1", None),
        ("T#acme#D#mem_1", "DOC", "document"),
        ("T#acme#C#talk", "SUMMARY#0#01A", "summary"),
        ("T#acme#C#talk", "MSG#01A", None),
        ("T#acme#A#guide", "STATE#s1", None),
        ("T#acme#A#guide#E#2026-07-01", "01J#e1", "episode"),
        ("T#acme#A#guide#E#2026-07-01#3", "01J#e1", "episode"),
        ("T#acme#EV#e1", "EVENT", None),
        ("T#acme#COLD", "guide#2026-07-01#a", None),
    ],
)
def test_kind_of_an_item_follows_from_its_key(pk: str, sk: str, kind: str | None) -> None:
    assert keys.item_kind(pk, sk) == kind
