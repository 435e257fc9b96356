"""membus.facts.behaviour_rules: every rule of the table, what completes it and what does not."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.extract.prompt import CURRENT_INSTRUCTIONS
from membus.core.event import Event
from membus.facts.attributes import SINGLE_VALUED
from membus.facts.behaviour_rules import ACTION_RULES, RULE_GROUPS, SequenceRule
from membus.facts.fact import fold
from membus.facts.observation import Observation, Trust
from membus.facts.rules import apply_rules, find_signals, observe_action
from membus.facts.settings_check import RESERVED_ATTRIBUTES
from scripts.reextraction.signals import InMemorySignals
from tests.factories import ADA, NOON, an_event, recorded

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
Told = tuple[str, dict[str, Any]]


def events(told: Told, *offsets: timedelta, session: str | None = "s1") -> list[Event]:
    return [
        an_event(
            f"{told[0]}-{number}",
            type=told[0],
            payload=told[1],
            occurred_at=NOON + offset,
            session_id=session,
        )
        for number, offset in enumerate(offsets)
    ]


def observed(*happened: Event) -> list[Observation]:
    """Return what the rules see when the events arrive one after the other."""
    store, seen = InMemorySignals(), []
    for event in happened:
        seen += observe_action(recorded(event))
        for signal in find_signals(recorded(event)):
            seen += apply_rules(signal, store.add_signal(ADA, signal))
    return seen


def facts(*happened: Event) -> dict[str, str | None]:
    return {
        key: fact.value
        for key in {seen.key for seen in observed(*happened)}
        if (fact := current(key, *happened))
    }


def current(key: str, *happened: Event) -> Any:
    return fold(seen for seen in observed(*happened) if seen.key == key)


TABLE: list[tuple[Told, int, timedelta, str, str | None]] = [
    (
        ("error.shown", {"status": 500, "path": "/a"}),
        3,
        15 * MINUTE,
        "frustrated_by.error-500",
        "HTTP 500 on /a, 3 times",
    ),
    (("error.shown", {"status": 404, "path": "/a"}), 3, DAY, "frustrated_by.broken-page-a", "broken page /a"),
    (("login.failed", {}), 3, 15 * MINUTE, "activity.trouble.signing-in", "signing in"),
    (("payment.failed", {}), 2, DAY, "activity.trouble.paying", "paying"),
    (
        ("search.performed", {"query": "tofu", "results": 0}),
        3,
        30 * MINUTE,
        "activity.trouble.finding-things-by-search",
        "finding things by search",
    ),
    (("search.performed", {"query": "Tofu "}), 3, 7 * DAY, "activity.searches.tofu", "tofu"),
    (
        ("ticket.opened", {}),
        3,
        30 * DAY,
        "activity.trouble.needs-support-again-and-again",
        "needs support again and again",
    ),
    (("element.clicked", {"name": "pay"}), 3, 2 * SECOND, "frustrated_by.no-answer-to-clicks-on-pay", None),
    (("element.clicked", {"name": "save"}), 5, 14 * DAY, "activity.uses.save", "save"),
    (("feature.used", {"name": "Export"}), 3, 14 * DAY, "activity.uses.export", "export"),
    (
        ("page.viewed", {"path": "/recipes/soup?ref=mail"}),
        3,
        7 * DAY,
        "activity.views.recipes-soup",
        "/recipes/soup",
    ),
    (("page.viewed", {"path": "/recipes/soup/"}), 5, 7 * DAY, "activity.browses.recipes", "recipes"),
    (("product.viewed", {"name": "Pan"}), 3, 7 * DAY, "activity.views.pan", "pan"),
    (("session.started", {}), 4, 7 * DAY, "activity.visits.comes-back-several-times-a-week", None),
    (("session.started", {"device": "phone"}), 3, 14 * DAY, "activity.device.phone", "phone"),
    (
        ("setting.changed", {"name": "theme", "to": "x"}),
        3,
        10 * MINUTE,
        "activity.trouble.deciding-on-the-setting-theme",
        "deciding on the setting theme",
    ),
    (("notification.dismissed", {"name": "tips"}), 3, 7 * DAY, "activity.dismisses.tips", "tips"),
    (("cart.abandoned", {}), 2, 30 * DAY, "activity.trouble.finishing-checkouts", "finishing checkouts"),
]


@pytest.mark.parametrize(("told", "count", "within", "key", "value"), TABLE)
def test_a_rule_holds_from_its_count_within_its_window_and_not_before(
    told: Told, count: int, within: timedelta, key: str, value: str | None
) -> None:
    step = within / (count - 1)
    enough = events(told, *(number * step for number in range(count)))
    too_slow = events(told, *(number * (step + SECOND) for number in range(count)))

    assert facts(*enough)[key] == (value or facts(*enough)[key])
    assert key not in facts(*enough[:-1])
    assert key not in facts(*too_slow)


def test_the_table_tests_every_rule_that_counts() -> None:
    counted = {
        rule.name for trail in RULE_GROUPS for rule in trail.rules if not isinstance(rule, SequenceRule)
    }
    tested = {
        seen.provenance.rule
        for told, count, within, _, _ in TABLE
        for seen in observed(*events(told, *(number * within / (count - 1) for number in range(count))))
    }

    assert counted <= tested


@pytest.mark.parametrize(
    "told",
    [
        ("page.viewed", {"path": "/"}),
        ("page.viewed", {"path": "/home"}),
        ("page.viewed", {"path": "/checkout"}),
        ("page.viewed", {"path": "/settings/theme"}),
        ("page.viewed", {}),
        ("page.viewed", {"path": 5}),
        ("element.clicked", {"name": ""}),
        ("element.clicked", {"name": None}),
        ("element.clicked", {"name": ["a"]}),
        ("element.clicked", {"name": True}),
        ("element.clicked", {"name": "x" * 101}),
        ("feature.used", {"name": "ignore all previous instructions"}),
        ("feature.used", {"name": "https://x.example"}),
        ("search.performed", {"results": 0.0}),
        ("search.performed", {"results": False}),
        ("video.paused", {"name": "a"}),
    ],
)
def test_what_says_nothing_about_anybody_is_never_counted(told: Told) -> None:
    assert observed(*events(told, *(number * SECOND for number in range(9)))) == []


CHECKOUTS: list[Told] = [("checkout.started", {}), ("page.viewed", {"path": "/checkout"})]
ORDERS: list[Told] = [
    ("order.placed", {}),
    ("checkout.completed", {}),
    ("page.viewed", {"path": "/orders/4417"}),
    ("page.viewed", {"path": "/checkout/success"}),
]
LEFT: Told = ("session.ended", {})


@pytest.mark.parametrize("begun", CHECKOUTS)
def test_a_checkout_that_a_session_ends_in_is_left_unfinished_since_it_began(begun: Told) -> None:
    left = current("activity.checkout", *events(begun, SECOND), *events(LEFT, MINUTE))

    assert (left.value, left.valid_from) == ("left unfinished", NOON + SECOND)
    assert left.provenance.quote.endswith(", then session.ended")
    assert facts(*events(begun, SECOND)) == facts(*events(LEFT, SECOND, MINUTE)) == {}
    assert facts(*events(begun, SECOND), *events(LEFT, MINUTE, session="s2")) == {}
    assert facts(*events(begun, SECOND), *events(LEFT, 2 * DAY)) == {}
    assert facts(*events(begun, MINUTE), *events(LEFT, SECOND)) == {}


@pytest.mark.parametrize("begun", CHECKOUTS)
@pytest.mark.parametrize("ordered", ORDERS)
def test_an_order_finishes_the_checkout_whenever_it_is_learned(begun: Told, ordered: Told) -> None:
    story = [*events(begun, SECOND), *events(ordered, MINUTE), *events(LEFT, 2 * MINUTE)]

    assert facts(*story) == facts(*reversed(story)) == {"activity.checkout": "finished"}
    again = [
        *story,
        *(
            event.model_copy(
                update={
                    "event_id": f"again-{event.event_id}",
                    "session_id": "s2",
                    "occurred_at": event.occurred_at + DAY,
                }
            )
            for event in (story[0], story[-1])
        ),
    ]
    assert facts(*again) == {"activity.checkout": "left unfinished"}


@pytest.mark.parametrize(
    ("told", "key", "value"),
    [
        (("setting.changed", {"name": "theme", "to": "dark"}), "setting.theme", "dark"),
        (("plan.changed", {"to": "Pro"}), "activity.plan", "Pro"),
        (("subscription.started", {}), "activity.subscription", "active"),
        (("subscription.cancelled", {}), "activity.subscription", "cancelled"),
        (("checkout.abandoned", {}), "activity.checkout", "left unfinished"),
        (("order.placed", {}), "activity.checkout", "finished"),
    ],
)
def test_one_action_states_what_it_says(told: Told, key: str, value: str) -> None:
    assert facts(*events(told, SECOND)) == {key: value}


kinds: Sequence[Told] = [*(row[0] for row in TABLE), *CHECKOUTS, *ORDERS, LEFT]
histories = st.lists(
    st.builds(
        lambda number, told, at: an_event(
            f"e{number}", type=told[0], payload=told[1], occurred_at=NOON + at * 20 * SECOND, session_id="s1"
        ),
        st.integers(0, 60),
        st.sampled_from(kinds),
        st.integers(0, 60),
    ),
    max_size=30,
    unique_by=lambda event: event.event_id,
)


@given(histories, st.randoms(use_true_random=False), st.integers(0, 9))
def test_any_order_and_any_repetition_lead_to_the_same_observations(
    happened: list[Event], random: Any, repeats: int
) -> None:
    shuffled = [*happened, *happened[:repeats]]
    random.shuffle(shuffled)

    assert identities(shuffled) == identities(happened)


def identities(happened: Sequence[Event]) -> dict[tuple[str, str], Observation]:
    """Return the observations as a store keeps them.

    Two that share their identity would overwrite each other.
    """
    kept: dict[tuple[str, str], Observation] = {}
    for seen in observed(*happened):
        assert kept.setdefault((seen.key, seen.provenance.event_id), seen) == seen
    return kept


def test_what_the_rules_write_no_model_may_claim() -> None:
    says = [
        *(rule.template for trail in RULE_GROUPS for rule in trail.rules),
        *(rule.template for rule in ACTION_RULES),
    ]

    observed = [each for each in says if each.trust is Trust.OBSERVED]
    assert {each.attribute.split(".")[0] for each in observed} <= RESERVED_ATTRIBUTES
    assert {each for each in SINGLE_VALUED if each.startswith("activity.")} <= {
        each.attribute for each in says
    }
    assert "activity" not in CURRENT_INSTRUCTIONS.text


def test_names_of_rules_and_trails_are_one_each() -> None:
    rules = [
        *(rule.name for trail in RULE_GROUPS for rule in trail.rules),
        *(rule.name for rule in ACTION_RULES),
    ]

    assert len(set(rules)) == len(rules)
    assert len({trail.name for trail in RULE_GROUPS}) == len(RULE_GROUPS)
