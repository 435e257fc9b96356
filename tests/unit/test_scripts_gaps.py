"""scripts gaps: how long users leave a conversation, and which lifetime of the hot tier fits."""

import json
from datetime import timedelta

import pytest

from membus.tenants.model import Tenant
from scripts.cli import main
from scripts.session_gaps import choose_lifetime, find_gaps, format_seconds, report
from scripts.target import Target
from tests.factories import ADA, NOON, a_conversation, a_message, a_turn
from tests.fakes.api_keys import InMemoryApiKeys
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.tenants import InMemoryTenants
from tests.fakes.usage import InMemoryUsageLedger

MINUTE = timedelta(minutes=1)


def test_a_gap_ends_with_a_users_message_whatever_it_follows() -> None:
    said = [("user", 0), ("assistant", 1), ("user", 11), ("user", 12), ("assistant", 13)]
    messages = [a_message(role=role, created_at=NOON + minute * MINUTE) for role, minute in said]

    assert list(find_gaps(reversed(messages))) == [10 * MINUTE, MINUTE]
    assert list(find_gaps(messages[:1])) == []


def test_each_lifetime_tells_what_it_serves_and_for_how_long_it_holds() -> None:
    gaps = [MINUTE, 10 * MINUTE, 30 * MINUTE, 600 * MINUTE]
    rows = {str(row["lifetime"]): row for row in report(gaps)}

    assert {name: row["served"] for name, row in rows.items()} == {
        "1 min": "25.0%",
        "5 min": "25.0%",
        "15 min": "50.0%",
        "30 min": "75.0%",
        "1 h": "75.0%",
        "4 h": "75.0%",
        "1 d": "100.0%",
        "7 d": "100.0%",
    }
    assert rows["30 min"]["minutes_held"] == "17.8"
    assert sum(int(str(row["gaps"])) for row in rows.values()) == 4


@pytest.mark.parametrize(
    ("gaps", "fits"),
    [
        ([MINUTE] * 9 + [timedelta(days=30)], "1 min"),
        ([31 * MINUTE] * 3, "1 h"),
        ([timedelta(days=30)], None),
    ],
)
def test_the_shortest_lifetime_that_serves_nine_in_ten_fits(gaps: list[timedelta], fits: str | None) -> None:
    found = choose_lifetime(gaps)

    assert (found and format_seconds(found)) == fits


def test_the_report_reads_every_conversation_of_the_tenant_and_of_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = a_conversation("01JZZZZZZZZZZZZZZZZZZZZZZX", tenant_id="zeta")
    store = InMemoryConversations(StoppedClock(), a_conversation(), other)
    for number in (0, 5, 10):
        store.add_turn(
            ADA.tenant, a_conversation().conversation_id, a_turn(number), request_key=str(number), title=None
        )
        store.add_turn(
            "zeta", other.conversation_id, a_turn(number * 100), request_key=str(number), title=None
        )
    target = Target(
        "dev",
        InMemoryTenants(Tenant(ADA.tenant, "Acme", NOON)),
        InMemoryApiKeys(),
        store,
        InMemoryUsageLedger(),
    )

    assert main(["gaps", "--tenant", ADA.tenant, "--json"], open_target=lambda _: target) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["gaps"] for row in rows][:3] == ["0", "2", "0"]
    assert main(["gaps", "--tenant", "nobody"], open_target=lambda _: target) == 1
    assert "no tenant nobody" in capsys.readouterr().err
