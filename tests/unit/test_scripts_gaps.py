"""scripts gaps: how long users pause in a conversation, and which lifetime of the cache fits."""

import json
from datetime import timedelta

import pytest

from scripts.session_gaps import choose_lifetime, find_gaps, format_lifetime, measure_lifetimes
from tests.factories import ADA, NOON, a_conversation, a_message, a_turn
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.support.targets import a_target, a_tenant, run_on

MINUTE = timedelta(minutes=1)


def test_gap_ends_with_a_message_of_the_user() -> None:
    said = [("user", 0), ("assistant", 1), ("user", 11), ("user", 12), ("assistant", 13)]
    messages = [a_message(role=role, created_at=NOON + minute * MINUTE) for role, minute in said]

    assert list(find_gaps(reversed(messages))) == [10 * MINUTE, MINUTE]
    assert list(find_gaps(messages[:1])) == []


def test_lifetime_has_the_gaps_it_covers_and_the_minutes_it_keeps() -> None:
    gaps = [MINUTE, 10 * MINUTE, 30 * MINUTE, 600 * MINUTE]
    rows = {str(row["lifetime"]): row for row in measure_lifetimes(gaps)}

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
def test_shortest_lifetime_that_covers_nine_in_ten_fits(gaps: list[timedelta], fits: str | None) -> None:
    found = choose_lifetime(gaps)

    assert (found and format_lifetime(found)) == fits


def test_report_reads_all_conversations_of_the_tenant_alone(
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
    run = run_on(a_target(a_tenant(ADA.tenant), conversations=store))

    assert run("gaps", "--tenant", ADA.tenant, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["gaps"] for row in rows][:3] == ["0", "2", "0"]
    assert run("gaps", "--tenant", "nobody") == 1
    assert "no tenant nobody" in capsys.readouterr().err
